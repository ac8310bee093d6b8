# 93. Have files signal other processes
# outcome: refused
import fcntl, signal, socket, struct
one, other = socket.socketpair()
for process in {1, os.getppid(), host["decoy"]}:
    attempt("owner %d" % process, lambda: fcntl.fcntl(one, 8, process))
    attempt("owner of a kind %d" % process, lambda: fcntl.fcntl(one, 15, struct.pack("ii", 1, process)))
    for number in [0x8901, 0x8902]:
        attempt("owner of a socket %d" % process, lambda: fcntl.ioctl(one, number, struct.pack("i", process)))
attempt("signal", lambda: fcntl.fcntl(one, 10, signal.SIGKILL))
fcntl.fcntl(one, fcntl.F_SETFL, fcntl.fcntl(one, fcntl.F_GETFL) | os.O_NONBLOCK)
other.send(b"x")
holds("flags can be set", one.recv(1) == b"x")
