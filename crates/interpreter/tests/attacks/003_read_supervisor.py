# 3. Look into the supervisor's process
# outcome: refused
for process in ["1", str(os.getppid())]:
    for name in ["environ", "mem", "maps", "auxv"]:
        attempt(process + "/" + name, lambda: read("/proc/%s/%s" % (process, name)))
    for name in ["root", "cwd", "exe"]:
        attempt(process + "/" + name, lambda: os.readlink("/proc/%s/%s" % (process, name)))
    attempt(process + "/fd", lambda: os.listdir("/proc/%s/fd" % process))
