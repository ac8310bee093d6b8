# 23. Have capabilities left, or be without the filter
# outcome: inert
with open("/proc/self/status") as lines:
    fields = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
for name in ["CapEff", "CapPrm", "CapInh", "CapAmb"]:
    holds(name, int(fields[name], 16) == 0)
holds("NoNewPrivs", fields["NoNewPrivs"] == "1")
holds("Seccomp", fields["Seccomp"] == "2")
