# 94. Say that the cell is done, answer the next ones, and keep every copy waiting
# outcome: contained
import json, socket, struct
channel = socket.socket(fileno=os.dup(3))
kept = []
def take(length):
    taken = b""
    while len(taken) < length:
        piece, descriptors, _, _ = socket.recv_fds(channel, length - len(taken), 4)
        kept.extend(descriptors)
        if not piece:
            os._exit(0)
        taken += piece
    return taken
def done(number, status, value):
    outcome = {"status": status, "value": value, "error": None, "exit_code": None, "notes": []}
    message = json.dumps({"done": {"number": number, "outcome": outcome}}).encode()
    channel.sendall(struct.pack("<IB", len(message), 0) + message)
# The first cell was what the attacks share.
done(2, "ok", None)
for status in ["ok", "interrupted"]:
    message = "checkpoint"
    while "execute" not in message:
        message = json.loads(take(struct.unpack("<IB", take(5))[0]))
    cell = message["execute"]
    done(cell["number"], status, {"text/plain": repr(eval(cell["code"]))})
while True:
    take(1)
