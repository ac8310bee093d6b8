# 42. Open connections
# outcome: refused
import socket
attempt("host's port", lambda: socket.create_connection(("127.0.0.1", host["port"]), 2))
attempt("host's port, version 6", lambda: socket.create_connection(("::1", host["port"]), 2))
attempt("host's port by another name", lambda: socket.create_connection(("0.0.0.0", host["port"]), 2))
attempt("listen", lambda: socket.create_server(("127.0.0.1", 0)))
