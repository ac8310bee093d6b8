# 35. Use up the names of the workspace
# outcome: refused
# tiers: namespaces
def fill():
    for number in range(100_000):
        write("name%d" % number, b"")
attempt("fill", fill)
for name in os.listdir("."):
    if name.startswith("name"):
        os.remove(name)
