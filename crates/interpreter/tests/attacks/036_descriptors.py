# 36. Open files without end
# outcome: refused
opened = []
def fill():
    while True:
        opened.append(os.open("/dev/null", os.O_RDONLY))
attempt("open", fill)
holds("few", len(opened) <= 256)
for descriptor in opened:
    os.close(descriptor)
