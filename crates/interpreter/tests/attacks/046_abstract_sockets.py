# 46. Connect to an abstract socket of the host
# outcome: refused
import socket
attempt("connect", lambda: socket.socket(socket.AF_UNIX).connect("\0" + host["abstract"]))
