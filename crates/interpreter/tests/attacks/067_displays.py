# 67. Show things without end
# outcome: capped
for number in range(10_000):
    display(number)
holds("all calls returned", True)
