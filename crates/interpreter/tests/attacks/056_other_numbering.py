# 56. Call the kernel by the numbers of another interface
# outcome: refused
# machine: x86_64
attempt("x32 getpid", lambda: system_call(0x40000000 + 39))
attempt("x32 mount", lambda: system_call(0x40000000 + 165, b"none", b".", b"tmpfs", 0, None))
