# 9. Change owner, mode and times of files that are not the cell's
# outcome: refused
for path in [sys.executable, os.__file__, "/usr/bin/env"]:
    attempt("chmod " + path, lambda: os.chmod(path, 0o777))
    attempt("chown " + path, lambda: os.chown(path, os.getuid(), os.getgid()))
    attempt("utime " + path, lambda: os.utime(path))
    attempt("truncate " + path, lambda: os.truncate(path, 0))
