# 44. Resolve names
# outcome: refused
import socket
attempt("resolve", lambda: socket.getaddrinfo("name.invalid", 80))
attempt("resolve alone", lambda: socket.gethostbyname("name.invalid"))
