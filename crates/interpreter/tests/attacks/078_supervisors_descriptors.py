# 78. Take the supervisor's channel to the host
# outcome: refused
for process in {1, os.getppid()}:
    attempt("list %d" % process, lambda: os.listdir("/proc/%d/fd" % process))
    for number in range(3, 16):
        attempt("open %d of %d" % (number, process), lambda: os.open("/proc/%d/fd/%d" % (process, number), os.O_RDWR))
