# 33. Keep memory where limits of a process do not count
# outcome: refused
attempt("memfd", lambda: os.memfd_create("hidden"))
attempt("shared segment", lambda: call("shmget", 0, ctypes.c_size_t(1 << 20), 0o1600))
attempt("semaphores", lambda: call("semget", 0, 1, 0o1600))
attempt("message queue", lambda: call("msgget", 0, 0o1600))
attempt("secret memory", lambda: system_call(447, 0))
attempt("shared files", lambda: write("/dev/shm/large", bytes(300 << 20)))
