# 72. Return text that is hard to write down
# outcome: inert
print("\ud800 nan inf", float("nan"), float("inf"), 10**4000 % 7, "\x00\x1f")
sys.stdout.buffer.write(b"\xff\xfe\xc3\x28\n")
holds("printed", True)
"\ud800" + "\u2028" + "\\" * 100
