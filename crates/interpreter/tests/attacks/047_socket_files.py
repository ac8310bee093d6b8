# 47. Connect to a socket file of the host
# outcome: refused
import socket
for path in [host["socket"], "/run/docker.sock", "/var/run/dbus/system_bus_socket"]:
    attempt(path, lambda: socket.socket(socket.AF_UNIX).connect(path))
