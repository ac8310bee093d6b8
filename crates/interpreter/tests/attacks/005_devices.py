# 5. Open devices of the machine
# outcome: refused
for name in ["mem", "kmsg", "vda", "sda", "kvm", "fuse", "tty", "console", "ptmx", "loop-control", "net/tun"]:
    attempt(name, lambda: read("/dev/" + name))
