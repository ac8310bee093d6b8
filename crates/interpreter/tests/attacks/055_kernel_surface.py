# 55. Use parts of the kernel that no calculation needs
# outcome: refused
# machine: x86_64
numbers = {"io_uring_setup": 425, "bpf": 321, "userfaultfd": 323, "perf_event_open": 298, "add_key": 248, "request_key": 249,
           "keyctl": 250, "init_module": 175, "finit_module": 313, "kexec_load": 246, "swapon": 167, "acct": 163, "iopl": 172,
           "ioperm": 173, "quotactl": 179, "fanotify_init": 300, "modify_ldt": 154, "syslog": 103, "vmsplice": 278,
           "move_pages": 279, "process_madvise": 440, "memfd_secret": 447, "set_mempolicy": 238, "mbind": 237, "kcmp": 312,
           "seccomp": 317, "landlock_create_ruleset": 444, "lookup_dcookie": 212, "settimeofday": 164, "sethostname": 170,
           "pkey_alloc": 330, "uselib": 134, "ustat": 136, "sysfs": 139, "_sysctl": 156, "nfsservctl": 180}
for name, number in numbers.items():
    attempt(name, lambda: system_call(number, 1, 0, 0, 0, 0))
