# 75b. Send JSON that is nested without end
# outcome: killed
import struct
message = b"[" * 100_000
for number in range(3, 64):
    try:
        os.write(number, struct.pack("<IB", len(message), 0) + message)
    except OSError:
        pass
import time
time.sleep(60)
