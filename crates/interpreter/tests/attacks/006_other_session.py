# 6. Reach another session's files, processes and sockets
# outcome: refused
import signal, socket
other = host["other"]
attempt("its file", lambda: read(os.path.join(other["folder"], "left_by_another_session")))
attempt("its file, by its process", lambda: read("/proc/%d/cwd/left_by_another_session" % other["process"]))
attempt("its abstract socket", lambda: socket.socket(socket.AF_UNIX).connect("\0left-by-another-session"))
if other["folder"] != os.getcwd():
    # With namespaces this number is a process of one's own.
    attempt("its memory", lambda: read("/proc/%d/mem" % other["process"]))
    attempt("its process", lambda: os.kill(other["process"], signal.SIGKILL))
