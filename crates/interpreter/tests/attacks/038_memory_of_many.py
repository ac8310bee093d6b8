# 38. Take too much memory in many processes, each within its limit
# outcome: killed
import signal
for _ in range(16):
    if os.fork() == 0:
        held = bytearray(os.urandom(1 << 20)) * 100
        signal.pause()
signal.pause()
