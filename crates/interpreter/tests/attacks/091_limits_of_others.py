# 91. Set the limits of other processes
# outcome: refused
import resource
for process in {1, os.getppid(), host["decoy"]}:
    attempt("descriptors of %d" % process, lambda: resource.prlimit(process, resource.RLIMIT_NOFILE, (5, 5)))
    attempt("time of %d" % process, lambda: resource.prlimit(process, resource.RLIMIT_CPU, (1, 1)))
holds("one's own are known", resource.getrlimit(resource.RLIMIT_NOFILE) == resource.prlimit(0, resource.RLIMIT_NOFILE))
