# 90b. Take too much memory in processes whose names are no text
# outcome: killed
def hide(hold):
    libc.prctl(15, b"\xff) Z 1 1", 0, 0, 0)
    hold()
hold_too_much(hide)
