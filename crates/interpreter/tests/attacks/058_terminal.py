# 58. Type into the terminal of the host
# outcome: refused
import fcntl
for number in [0, 1, 2]:
    attempt("type on %d" % number, lambda: fcntl.ioctl(number, 0x5412, b"x"))
    attempt("own %d" % number, lambda: fcntl.ioctl(number, 0x540E, 0))
attempt("open", lambda: os.open("/dev/tty", os.O_RDWR))
