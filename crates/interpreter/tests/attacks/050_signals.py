# 50. End the supervisor and a process of the host
# outcome: inert
import signal
for process in {1, os.getppid(), host["decoy"]}:
    try:
        os.kill(process, signal.SIGKILL)
    except OSError as error:
        print("stopped", process, error)
holds("still here", True)
