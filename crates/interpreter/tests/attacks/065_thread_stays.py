# 65. Leave a thread running, and printing, after the cell
# outcome: inert
import threading, time
def stay():
    while True:
        print("still here")
        time.sleep(0.001)
threading.Thread(target=stay, daemon=True).start()
holds("started", True)
