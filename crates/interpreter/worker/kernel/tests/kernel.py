"""A session in a process of its own, for tests."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path


def missing(packages):
    """The packages that this Python lacks."""
    return [package for package in packages if importlib.util.find_spec(package) is None]


def needs(*packages):
    """Skips a test, with the reason, where this Python lacks a package."""
    return unittest.skipIf(missing(packages), "needs %s, which this Python lacks" % ", ".join(missing(packages)))


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


class Kernel:
    """A session, and the workspace that it has."""

    def __init__(self, options=None, warm_up=None):
        self._folder = tempfile.TemporaryDirectory()
        self.workspace = Path(self._folder.name) / "workspace"
        self.workspace.mkdir()
        self._outputs = [Path(self._folder.name) / name for name in ("stdout", "stderr")]
        self._read = [0, 0]
        self._number = 0
        self._start()
        self._send({"warm_up": warm_up, "options": {"workspace": str(self.workspace), **(options or {})}})
        self.warm = self._receive("warm") if warm_up is not None else None
        self._receive("ready")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self._requests.close()
        self._replies.close()
        self._folder.cleanup()

    def run(self, code, on_display=None):
        """Runs a cell; `on_display` is called as each display comes."""
        self._number += 1
        self._send({"kind": "execute", "number": self._number, "code": code})
        displays = []
        while True:
            reply = self._next()
            if reply["kind"] == "result":
                return Outcome(reply["content"], displays, *self._printed(reply["printed"]))
            displays.append(reply)
            if on_display is not None:
                on_display()

    def describe(self):
        self._send({"kind": "describe"})
        return self._receive("description")

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def _start(self):
        requests, self._requests = os.pipe()
        self._replies, replies = os.pipe()
        stdout, stderr = (open(path, "ab") for path in self._outputs)
        driver = str(Path(__file__).with_name("driver.py"))
        environment = {
            "HOME": str(self.workspace),
            "MPLBACKEND": "agg",
            "MPLCONFIGDIR": _FONT_CACHE.name,
            "OPENBLAS_NUM_THREADS": "1",
            "PATH": os.environ["PATH"],
        }
        with stdout, stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-X", "utf8", driver, str(requests), str(replies)],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env=environment,
                pass_fds=(requests, replies),
            )
        os.close(requests)
        os.close(replies)
        self._requests = os.fdopen(self._requests, "w", encoding="utf-8", buffering=1)
        self._replies = os.fdopen(self._replies, encoding="utf-8")

    def _send(self, message):
        self._requests.write(json.dumps(message) + "\n")

    def _next(self):
        line = self._replies.readline()
        if not line:
            raise AssertionError("the session ended: " + self._outputs[1].read_text("utf-8", "replace"))
        return json.loads(line)

    def _receive(self, kind):
        reply = self._next()
        assert reply["kind"] == kind, reply
        return reply["content"]

    def _printed(self, lengths):
        texts = []
        for index, path in enumerate(self._outputs):
            data = path.read_bytes()[self._read[index] : lengths[index]]
            self._read[index] = lengths[index]
            texts.append(data.decode("utf-8", "replace"))
        return texts


class KernelTest(unittest.TestCase):
    """A test case with one session a test, made when first asked for."""

    options = None
    warm_up = None

    @property
    def kernel(self):
        if not hasattr(self, "_kernel"):
            self._kernel = Kernel(self.options, self.warm_up)
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
