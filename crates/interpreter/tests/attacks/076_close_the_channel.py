# 76. Close every descriptor
# outcome: killed
os.closerange(0, 256)
while True:
    pass
