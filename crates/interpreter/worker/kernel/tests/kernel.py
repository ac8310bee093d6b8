"""A session in a process of its own, for tests."""

import atexit
import contextlib
import functools
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import unittest
from pathlib import Path


def missing(packages):
    """The packages that this Python lacks."""
    return [package for package in packages if importlib.util.find_spec(package) is None]


def needs(*packages):
    """Skips a test, with the reason, where this Python lacks a package."""
    return unittest.skipIf(missing(packages), "needs %s, which this Python lacks" % ", ".join(missing(packages)))


def code(text):
    """The code of a cell, written as an indented text."""
    return textwrap.dedent(text).strip("\n")


class Outcome:
    """What became of a cell."""

    def __init__(self, result, displays, stdout, stderr):
        self.status = result["status"]
        self.value = result["value"]
        self.error = result["error"]
        self.exit_code = result["exit_code"]
        self.notes = result["notes"]
        self.displays = [display["content"] for display in displays]
        self.stdout = stdout
        self.stderr = stderr
        self.printed_before = [display["printed"][0] for display in displays]

    @property
    def text(self):
        """The plain text of the value."""
        return None if self.value is None else self.value["text/plain"]

    @property
    def traceback(self):
        return self.error["traceback"]


class Parent:
    """A process that has imported some modules, and from which sessions are forked."""

    def __init__(self, modules):
        self._folder = tempfile.TemporaryDirectory()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        driver = str(Path(__file__).with_name("driver.py"))
        environment = {
            "MPLBACKEND": "agg",
            "MPLCONFIGDIR": _FONT_CACHE.name,
            "OPENBLAS_NUM_THREADS": "1",
            "PATH": os.environ["PATH"],
        }
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-X", "utf8", driver, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                env=environment,
                pass_fds=(theirs.fileno(),),
            )
        self._control.send(json.dumps(modules).encode())
        self.warm = json.loads(self._control.recv(1 << 20))
        atexit.register(self.end)

    def start(self, options, descriptors):
        """Forks a session with the descriptors of its requests, replies, output and errors; returns its process."""
        socket.send_fds(self._control, [json.dumps(options).encode()], descriptors)
        return json.loads(self._control.recv(100))

    def end(self):
        self._control.close()
        self._process.wait()


@functools.lru_cache(maxsize=None)
def parent(modules):
    """The parent for some modules, or None, shared by all tests that want it."""
    return Parent(modules)


class Kernel:
    """A session, and the workspace that it has."""

    def __init__(self, options=None, modules=None):
        self._folder = tempfile.TemporaryDirectory()
        self.workspace = Path(self._folder.name) / "workspace"
        self.workspace.mkdir()
        self._outputs = [Path(self._folder.name) / name for name in ("stdout", "stderr")]
        self._read = [0, 0]
        self._number = 0
        self.warm = parent(modules).warm
        requests, requests_end = os.pipe()
        replies_end, replies = os.pipe()
        stdout, stderr = (os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT) for path in self._outputs)
        descriptors = (requests, replies, stdout, stderr)
        self._process = parent(modules).start({"workspace": str(self.workspace), **(options or {})}, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        self._requests = os.fdopen(requests_end, "w", encoding="utf-8", buffering=1)
        self._replies = os.fdopen(replies_end, encoding="utf-8")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process, signal.SIGKILL)
        self._requests.close()
        self._replies.close()
        self._folder.cleanup()

    def run(self, code, on_display=None):
        """Runs a cell; `on_display` is called as each display comes."""
        self._number += 1
        self._send({"kind": "execute", "number": self._number, "code": code})
        displays = []
        while True:
            reply = self._receive()
            if reply["kind"] == "result":
                return Outcome(reply["content"], displays, *self._printed(reply["printed"]))
            displays.append(reply)
            if on_display is not None:
                on_display()

    def describe(self):
        self._send({"kind": "describe"})
        return self._receive()["content"]

    def go_on_in_a_copy(self):
        """As after a roll-back: the process is gone, and a fork of it goes on."""
        self._send({"kind": "copy"})
        self._process = self._receive()["content"]

    def interrupt(self):
        os.kill(self._process, signal.SIGINT)

    def _send(self, message):
        self._requests.write(json.dumps(message) + "\n")

    def _receive(self):
        line = self._replies.readline()
        if not line:
            raise AssertionError("the session ended: " + self._outputs[1].read_text("utf-8", "replace"))
        return json.loads(line)

    def _printed(self, lengths):
        texts = []
        for index, path in enumerate(self._outputs):
            data = path.read_bytes()[self._read[index] : lengths[index]]
            self._read[index] = lengths[index]
            texts.append(data.decode("utf-8", "replace"))
        return texts


class KernelTest(unittest.TestCase):
    """A test case with one session a test, made when first asked for.

    `modules` are what the parent of its sessions has imported, in a tuple; without it that was not warmed up.
    """

    options = None
    modules = None

    @property
    def kernel(self):
        if not hasattr(self, "_kernel"):
            self._kernel = Kernel(self.options, self.modules)
            self.addCleanup(self._kernel.__exit__)
        return self._kernel

    def run_cells(self, *cells):
        """Runs cells that must succeed, and returns what became of the last."""
        for cell in cells:
            outcome = self.kernel.run(cell)
            self.assertEqual(outcome.status, "ok", outcome.error)
        return outcome

    def fail_cell(self, *cells):
        """Runs cells, the last of which must end in an error, and returns what became of it."""
        *before, last = cells
        for cell in before:
            self.run_cells(cell)
        outcome = self.kernel.run(last)
        self.assertEqual(outcome.status, "error", outcome.text)
        return outcome

    def assert_value(self, text, *cells):
        """The value of the last cell is shown as `text`."""
        self.assertEqual(self.run_cells(*cells).text, text)


_FONT_CACHE = tempfile.TemporaryDirectory()
"""Matplotlib's list of fonts, kept between sessions: making it takes a second."""
