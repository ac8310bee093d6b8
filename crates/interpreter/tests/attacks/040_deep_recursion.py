# 40. Recurse until the stack ends
# outcome: contained
sys.setrecursionlimit(10**9)
class Deep:
    def __repr__(self):
        return repr(self)
repr(Deep())
