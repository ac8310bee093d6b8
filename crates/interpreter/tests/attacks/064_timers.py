# 64. Play with timers and alarms
# outcome: killed
import signal
signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
signal.signal(signal.SIGINT, lambda *_: None)
while True:
    try:
        signal.pause()
    except BaseException:
        pass
