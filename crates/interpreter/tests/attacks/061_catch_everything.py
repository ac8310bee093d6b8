# 61. Catch every exception and go on
# outcome: killed
while True:
    try:
        while True:
            pass
    except BaseException:
        continue
