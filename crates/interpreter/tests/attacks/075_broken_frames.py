# 75. Send frames that no kernel sends
# outcome: killed
for number in range(3, 64):
    try:
        os.write(number, b"\xff\xff\xff\xff\x00garbage")
    except OSError:
        pass
import time
time.sleep(60)
