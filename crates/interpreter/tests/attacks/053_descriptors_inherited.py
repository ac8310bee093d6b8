# 53. Find descriptors that one should not have
# outcome: inert
kinds = {}
for name in os.listdir("/proc/self/fd"):
    try:
        kinds[int(name)] = os.readlink("/proc/self/fd/" + name)
    except OSError:
        pass
for number, target in sorted(kinds.items()):
    known = target in ("/dev/null", "/dev/urandom") or target.startswith(("pipe:", "socket:", "/proc/", "anon_inode:[eventpoll]"))
    holds("%d is %s" % (number, target), known)
holds("sockets", sum(target.startswith("socket:") for target in kinds.values()) <= 1)
for number in list(kinds):
    if number > 2:
        attempt("reopen %d" % number, lambda: os.open("/proc/self/fd/%d" % number, os.O_RDWR) if kinds[number].startswith("socket") else 1 / 0)
