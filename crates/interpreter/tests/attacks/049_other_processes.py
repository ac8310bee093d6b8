# 49. Trace processes and read their memory
# outcome: refused
for process in [1, os.getppid(), host["decoy"]]:
    for request in [16, 0x4206]:
        attempt("ptrace %d" % process, lambda: call("ptrace", request, process, None, None))
    attempt("read %d" % process, lambda: call("process_vm_readv", process, None, 0, None, 0, 0))
    attempt("write %d" % process, lambda: call("process_vm_writev", process, None, 0, None, 0, 0))
    attempt("refer to %d" % process, lambda: os.pidfd_open(process))
attempt("be traced", lambda: call("ptrace", 0, 0, None, None))
attempt("take a descriptor", lambda: system_call(438, 3, 0, 0))
