# 4. Read the kernel's tables
# outcome: refused
for name in ["kcore", "kallsyms", "keys", "key-users", "modules", "slabinfo", "timer_list", "sys/kernel/hostname"]:
    attempt(name, lambda: read("/proc/" + name))
attempt("trigger", lambda: write("/proc/sysrq-trigger", b"h"))
