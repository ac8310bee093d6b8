# 24. Make namespaces
# outcome: refused
for name, flag in [("user", 0x10000000), ("mount", 0x20000), ("process", 0x20000000), ("network", 0x40000000),
                   ("ipc", 0x8000000), ("uts", 0x4000000), ("cgroup", 0x2000000), ("time", 0x80)]:
    attempt(name, lambda: call("unshare", flag))
