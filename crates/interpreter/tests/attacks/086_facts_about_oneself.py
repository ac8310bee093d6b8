# 86. Learn of the host from what the system tells a process about itself
# outcome: inert
# tiers: namespaces
for line in open("/proc/self/cgroup"):
    holds("control group " + line.strip(), line.strip().endswith(":/"))
holds("first process", os.getppid() in (0, 1))
held = b"".join(open("/proc/self/" + name, "rb").read() for name in ["auxv", "stat", "status", "cmdline", "limits"])
holds("no canary", host["canary_reversed"][::-1].encode() not in held)
