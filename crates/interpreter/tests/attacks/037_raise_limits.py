# 37. Raise limits and priority
# outcome: refused
import resource
for name in ["AS", "NPROC", "NOFILE", "FSIZE", "CORE", "MEMLOCK"]:
    number = getattr(resource, "RLIMIT_" + name)
    hard = resource.getrlimit(number)[1]
    attempt(name, lambda: resource.setrlimit(number, (hard + 1, hard + 1)))
attempt("nice", lambda: os.nice(-20))
attempt("real time", lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)))
attempt("lock memory", lambda: call("mlockall", 3))
