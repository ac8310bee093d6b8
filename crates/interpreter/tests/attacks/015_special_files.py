# 15. Make device nodes and pipes
# outcome: refused
import stat
attempt("block device", lambda: os.mknod("disk", 0o600 | stat.S_IFBLK, os.makedev(254, 0)))
attempt("character device", lambda: os.mknod("memory", 0o600 | stat.S_IFCHR, os.makedev(1, 1)))
attempt("pipe", lambda: os.mkfifo("pipe"))
