# 7. Have a crash write a file of the host
# outcome: killed
import faulthandler
attempt("fault file", lambda: faulthandler.enable(open(host["folder"] + "/fault", "w")))
import resource
holds("no core file", resource.getrlimit(resource.RLIMIT_CORE) == (0, 0))
sys.stdout.flush()
os.abort()
