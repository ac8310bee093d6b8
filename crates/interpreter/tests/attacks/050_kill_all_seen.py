# 50c. End every process that can be seen, checkpoint and self included
# outcome: lost
import signal
own = os.getpid()
for process in range(2, 70000):
    if process != own:
        try:
            os.kill(process, signal.SIGKILL)
        except OSError:
            pass
os.kill(own, signal.SIGKILL)
