# 90. Forbid the supervisor to look into a process
# outcome: refused
attempt("dumpable", lambda: call("prctl", 4, 0, 0, 0, 0))
