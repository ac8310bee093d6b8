# 83. Learn the host's name
# outcome: inert
# tiers: namespaces
holds("name", os.uname().nodename == "sandbox")
import socket
holds("by socket", socket.gethostname() == "sandbox")
