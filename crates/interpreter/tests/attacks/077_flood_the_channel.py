# 77. Send displays past the kernel's own limit
# outcome: contained
import json, struct
message = json.dumps({"display": {"data": {"text/plain": "x" * 100_000}}}).encode()
frame = struct.pack("<IB", len(message), 0) + message
channels = []
for number in range(3, 64):
    try:
        if os.readlink("/proc/self/fd/%d" % number).startswith("socket"):
            channels.append(number)
    except OSError:
        pass
import threading
# Its answers are read by nobody else meanwhile.
for number in channels or [3]:
    while True:
        os.write(number, frame)
