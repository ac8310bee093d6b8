# 13. Reach the host's files by links
# outcome: refused
for number, target in enumerate([host["secret"], "/etc/shadow", "/proc/1/root" + host["secret"]]):
    name = "link%d" % number
    os.symlink(target, name)
    attempt("read by " + name, lambda: read(name))
    attempt("write by " + name, lambda: write(name))
