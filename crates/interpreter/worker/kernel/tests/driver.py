"""The process under test: a session, driven by lines of JSON. Stands in for the worker of the sandbox.

Arguments: descriptors of requests and replies. Descriptors 1 and 2 are files, whose length is told with each reply,
so that a test knows what was printed before it.
"""

import os
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
    requests = os.fdopen(int(sys.argv[1]), encoding="utf-8")
    replies = os.fdopen(int(sys.argv[2]), "w", encoding="utf-8", buffering=1)
    kernel = load_kernel()

    def reply(kind, content):
        printed = [os.fstat(1).st_size, os.fstat(2).st_size]
        replies.write(dumps({"kind": kind, "content": content, "printed": printed}, allow_nan=False) + "\n")

    start = loads(requests.readline())
    if start["warm_up"] is not None:
        reply("warm", kernel.warm_up(start["warm_up"]))
    session = kernel.Session(start["options"])
    reply("ready", None)
    for line in requests:
        request = loads(line)
        if request["kind"] == "describe":
            reply("description", session.describe())
        else:
            reply("result", session.execute(request["number"], request["code"], reply))


if __name__ == "__main__":
    main()
