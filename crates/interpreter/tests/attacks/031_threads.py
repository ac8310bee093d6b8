# 31. Start threads without end
# outcome: capped
import threading
wait = threading.Event()
started = 0
try:
    for _ in range(10000):
        threading.Thread(target=wait.wait, daemon=True).start()
        started += 1
except RuntimeError:
    pass
wait.set()
holds("stopped at %d" % started, started < 200)
