# 45. Open sockets of rarer families
# outcome: refused
import socket
for name, family, kind in [("netlink", 16, socket.SOCK_RAW), ("packet", 17, socket.SOCK_RAW), ("crypto", 38, socket.SOCK_SEQPACKET),
                           ("virtual machine", 40, socket.SOCK_STREAM), ("raw", socket.AF_INET, socket.SOCK_RAW),
                           ("bluetooth", 31, socket.SOCK_RAW), ("express data path", 44, socket.SOCK_RAW)]:
    attempt(name, lambda: socket.socket(family, kind))
