# 90c. Take too much memory in processes whose first thread has ended
# outcome: killed
import threading
def hide(hold):
    threading.Thread(target=hold).start()
    libc.syscall(60 if machine == "x86_64" else 93, 0)
hold_too_much(hide)
