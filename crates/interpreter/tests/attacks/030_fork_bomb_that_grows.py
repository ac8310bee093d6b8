# 30b. Fork in every child, and never stop
# outcome: killed
while True:
    try:
        os.fork()
    except OSError:
        pass
