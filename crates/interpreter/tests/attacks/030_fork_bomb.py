# 30. Fork without end
# outcome: capped
import signal
children = []
try:
    for _ in range(10000):
        child = os.fork()
        if child == 0:
            signal.pause()
        children.append(child)
except OSError as error:
    holds("stopped at %d: %s" % (len(children), error), len(children) < 200)
else:
    holds("ten thousand processes", False)
