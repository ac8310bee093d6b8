# 41. Compute for ever in one call into C
# outcome: killed
sum(range(10**13))
