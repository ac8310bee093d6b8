# 25. Make namespaces by clone
# outcome: refused
# machine: x86_64
for flag in [0x10000000, 0x10000000 | 0x20000, 0x20000000, 0x40000000]:
    attempt("clone %#x" % flag, lambda: system_call(56, ctypes.c_ulong(flag | 17), None, None, None, None))
