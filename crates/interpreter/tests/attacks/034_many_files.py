# 34b. Fill the workspace with many files
# outcome: refused
# tiers: namespaces
def fill():
    for number in range(100):
        write("part%d" % number, bytes(8 << 20))
attempt("fill", fill)
for name in os.listdir("."):
    if name.startswith("part"):
        os.remove(name)
