# 76b. Begin a frame and never end it
# outcome: killed
import struct
for number in range(3, 64):
    try:
        os.write(number, struct.pack("<IB", 1 << 20, 0))
    except OSError:
        pass
while True:
    pass
