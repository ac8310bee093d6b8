"""The parent of the sessions under test. Stands in for the worker of the sandbox.

Its first argument is the descriptor of a socket. The first message on it lists the modules to import, or is null for
none and no `warm_up`; the answer is what `warm_up` says. Each further message starts a session: its options, with the
descriptors of its requests, replies, standard output and standard error; the answer is its process.

With each reply goes how long standard output and error, which are files, are by then, so that a test knows what was
printed before it.
"""

import os
import signal
import socket
import sys
from json import dumps, loads
from pathlib import Path

PYTHON = Path(__file__).resolve().parent.parent / "python"


def load_kernel():
    loader = {}
    exec((PYTHON / "loader.py").read_text("utf-8"), loader)
    files = (PYTHON / "qianshou_kernel").glob("*.py")
    return loader["load"]({file.stem: file.read_text("utf-8") for file in files})


def main():
    control = socket.socket(fileno=int(sys.argv[1]))
    kernel = load_kernel()
    modules = loads(control.recv(65536))
    control.send(dumps(kernel.warm_up(modules) if modules is not None else None).encode())
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        options, descriptors, _, _ = socket.recv_fds(control, 65536, 4)
        if not options:
            return
        process = os.fork()
        if process == 0:
            control.close()
            serve(kernel, loads(options), *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        control.send(dumps(process).encode())


def serve(kernel, options, requests, replies, stdout, stderr):
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for descriptor, standard in ((stdout, 1), (stderr, 2)):
        os.dup2(descriptor, standard)
        os.close(descriptor)
    replies = os.fdopen(replies, "w", encoding="utf-8", buffering=1)

    def reply(kind, content):
        printed = [os.fstat(1).st_size, os.fstat(2).st_size]
        replies.write(dumps({"kind": kind, "content": content, "printed": printed}, allow_nan=False) + "\n")

    os.environ["HOME"] = options["workspace"]
    session = kernel.Session(options)
    for line in os.fdopen(requests, encoding="utf-8"):
        request = loads(line)
        if request["kind"] == "copy":
            if os.fork() != 0:
                os._exit(0)
            reply("copied", os.getpid())
        elif request["kind"] == "describe":
            reply("description", session.describe())
        else:
            reply("result", session.execute(request["number"], request["code"], reply))
    os._exit(0)


if __name__ == "__main__":
    main()
