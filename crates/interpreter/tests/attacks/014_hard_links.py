# 14. Take a file of the system by a hard link
# outcome: refused
for path in [sys.executable, os.__file__, host["secret"], "/etc/passwd"]:
    attempt(path, lambda: os.link(path, "taken"))
