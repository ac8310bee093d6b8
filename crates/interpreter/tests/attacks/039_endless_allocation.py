# 39. Allocate for ever, whatever the errors
# outcome: killed
held = []
while True:
    try:
        held.append(bytearray(os.urandom(1 << 16)) * 64)
    except MemoryError:
        pass
