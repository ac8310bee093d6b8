# 92. Set the priority and the processors of other processes
# outcome: refused
for process in {1, os.getppid(), host["decoy"]}:
    attempt("priority of %d" % process, lambda: os.setpriority(os.PRIO_PROCESS, process, 19))
    attempt("processors of %d" % process, lambda: os.sched_setaffinity(process, os.sched_getaffinity(0)))
    attempt("scheduling of %d" % process, lambda: os.sched_setscheduler(process, os.SCHED_BATCH, os.sched_param(0)))
attempt("priority of all", lambda: os.setpriority(os.PRIO_USER, 0, 19))
os.sched_setaffinity(0, os.sched_getaffinity(0))
os.nice(1)
holds("one's own can be set", True)
