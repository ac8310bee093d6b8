# 52. Leave a process behind that outlives a killed cell
# outcome: killed
import time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True:
            write("alive", b"%f" % time.time())
            time.sleep(0.01)
    os._exit(0)
while not os.path.exists("alive"):
    time.sleep(0.01)
os._exit(1)
