# 77b. Send displays of nothing without end
# outcome: killed
import json, struct
message = json.dumps({"display": {"data": {}}}).encode()
frame = (struct.pack("<IB", len(message), 0) + message) * 100
while True:
    for number in range(3, 64):
        try:
            if os.readlink("/proc/self/fd/%d" % number).startswith("socket"):
                os.write(number, frame)
        except OSError:
            pass
