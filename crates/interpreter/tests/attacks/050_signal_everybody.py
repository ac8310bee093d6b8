# 50b. Signal everybody at once
# outcome: refused
import signal
attempt("kill", lambda: os.kill(-1, signal.SIGKILL))
