# 43. Send datagrams
# outcome: refused
import socket
for family, address in [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]:
    attempt(address, lambda: socket.socket(family, socket.SOCK_DGRAM).sendto(b"x", (address, host["port"])))
