# 74. Write a result on the kernel's channel
# outcome: killed
# forge
import json, struct, socket
message = json.dumps({"done": {"number": 1 << 40, "outcome": {"status": "ok", "value": None, "error": None, "exit_code": None, "notes": []}}}).encode()
for number in range(3, 64):
    try:
        os.write(number, struct.pack("<IB", len(message), 0) + message)
    except OSError:
        pass
import time
time.sleep(60)
