# 51. Stop the supervisor, and oneself
# outcome: killed
import signal
for process in [1, os.getppid()]:
    try:
        os.kill(process, signal.SIGSTOP)
    except OSError:
        pass
os.kill(os.getpid(), signal.SIGSTOP)
