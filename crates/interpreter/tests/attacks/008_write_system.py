# 8. Write into the system and into Python
# outcome: refused
for folder in ["/", "/usr", "/etc", "/bin", "/usr/lib", sys.prefix, sys.base_prefix, os.path.dirname(os.__file__)]:
    attempt(folder, lambda: write(folder + "/written"))
    attempt("rename in " + folder, lambda: os.rename(folder, folder + ".old"))
attempt("host", lambda: write(host["folder"] + "/written"))
attempt("cut", lambda: os.truncate(host["secret"], 0))
attempt("cut by opening", lambda: os.open(host["secret"], os.O_RDONLY | os.O_TRUNC))
