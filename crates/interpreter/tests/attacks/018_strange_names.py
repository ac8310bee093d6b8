# 18. Name files so that a list of them lies
# outcome: inert
names = ["line\nbreak", "x" * 255, "\u202egnp.exe", "\x1b[2Jwiped", b"\xff\xfe\xc3", "...", "-rf", "con:aux", " "]
made = 0
for name in names:
    try:
        write(name)
        made += 1
    except OSError as error:
        print("stopped", repr(name), error)
holds("made", made > 0)
attempt("parent", lambda: write("../left"))
attempt("nothing", lambda: write("nul\0l"))
