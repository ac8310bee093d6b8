# 2. Read a file of the host by its absolute path
# outcome: refused
attempt("read", lambda: read(host["secret"]))
attempt("stat its folder's list", lambda: os.listdir(host["folder"]))
attempt("by the root link", lambda: read("/proc/self/root" + host["secret"]))
attempt("by climbing", lambda: read("../" * 20 + host["secret"][1:]))
