# 63. Return a value that never finishes to show itself
# outcome: killed
import signal
class Endless:
    def __repr__(self):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        while True:
            pass
Endless()
