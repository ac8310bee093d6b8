# 66. Print without end
# outcome: killed
block = "x" * (1 << 20)
while True:
    print(block)
