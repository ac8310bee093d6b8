# 62. Loop in C and never let Python look up
# outcome: killed
import itertools, collections
collections.deque(itertools.repeat(None), maxlen=0)
