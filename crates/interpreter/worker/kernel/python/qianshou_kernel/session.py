"""A session: cells, one after the other, in one namespace."""

import faulthandler
import os
import random
import sys
from os import getpid

from . import figures, magic_syntax
from .baseline import Baseline
from .cells import Source
from .display import Publisher, screen
from .interrupts import interrupts
from .inventory import variables
from .libraries import adjustments
from .limits import Limits
from .loop import Loop
from .magics import Magics
from .namespace import Namespace
from .notebook import stand_in
from .streams import Streams
from .text import clean, cut, message_of
from .tracebacks import Reporter
from .warm import python


class Session:
    """The state of one conversation with Python. A process has one session, made after its descriptors are set.

    `options` may have `workspace`, the folder of the session's files; `network`, whether there is one (where there
    is none, errors of connections say so); and `limits`, a dict as `Limits` reads it.
    """

    def __init__(self, options):
        os.chdir(options.get("workspace", "."))
        self._limits = Limits.read(options.get("limits", {}))
        self._streams = Streams()
        interrupts.ignore()
        self._namespace = Namespace()
        self._magics = Magics(self._namespace)
        self._baseline = Baseline({"display": screen.display, magic_syntax.MAGIC: self._magics})
        self._source = Source()
        self._loop = Loop()
        self._reporter = Reporter(self._source, os.getcwd(), options.get("network", False), self._limits)
        sys.argv = [""]
        if "" not in sys.path:
            sys.path.insert(0, "")
        adjustments.install()
        stand_in.install()
        _reseed()
        faulthandler.enable(2)

    def execute(self, number, code, emit):
        """Runs a cell and returns what became of it; raises nothing.

        `number` is the cell's, `emit(kind, payload)` takes its displays as they come. The result has `status`
        (`ok`, `error`, `interrupted` or `exited`; `broken` when no cell can run after this one), `value` (a bundle by media type, or None), `error` (or None),
        `exit_code` (of `exited`) and `notes` (what was left out, and why).
        """
        result = {"status": "ok", "value": None, "error": None, "exit_code": None, "notes": []}
        try:
            self._execute(number, code, emit, result)
        except BaseException as error:
            message = cut(clean("This cell broke Python itself: %s" % message_of(error)), 1000)
            name = cut(clean(type(error).__name__), 200)
            error = {"name": name, "message": message, "traceback": "%s: %s" % (name, message), "hint": None}
            result.update(status="broken", value=None, error=error)
        return result

    def rehearse(self):
        """Goes through what is around every cell, so that its memory is written to before somebody waits for one."""
        result = {"status": "ok", "value": None, "error": None, "exit_code": None, "notes": []}
        try:
            self._restore()
            publisher = Publisher(None, self._limits, self._streams, result["notes"])
            self._attempt(result, lambda: publisher.bundler.bundle(self._source.compile("<rehearsal>", "1 + 1").run({})))
            publisher.finish()
            self._streams.flush()
            self._restore()
        except BaseException:
            # The next cell will say what is wrong.
            pass

    def describe(self):
        """Python and variables. Runs no code of the cells."""
        return {"python": python(), "variables": variables(self._namespace.user_items())}

    def _execute(self, number, code, emit, result):
        # Asked for anew in each cell: after a roll-back the session goes on in another process.
        process = getpid()
        self._restore()
        publisher = Publisher(emit, self._limits, self._streams, result["notes"])
        screen.open(publisher)
        self._attempt(result, lambda: self._run(number, code, publisher, result))
        if getpid() != process:
            self._end_child(result)
        if result["status"] == "interrupted":
            figures.close_open()
        else:
            self._attempt(result, screen.show_figures)
        screen.close()
        publisher.finish()
        self._streams.flush()
        self._restore()
        self._source.compile("<check>", "1").run({})

    def _restore(self):
        """Puts back what a cell may have changed around its own names."""
        self._baseline.restore()
        self._streams.restore()
        self._namespace.restore()
        self._loop.restore()

    def _attempt(self, result, action):
        """Does a part of the cell; what stops it decides the result, unless an earlier part has."""
        try:
            try:
                interrupts.listen()
                action()
            finally:
                self._baseline.restore()
                interrupts.ignore()
        except SystemExit as stop:
            outcome = {"status": "exited", "exit_code": _exit_code(stop)}
        except BaseException as error:
            status = "interrupted" if isinstance(error, KeyboardInterrupt) else "error"
            outcome = {"status": status, "error": self._reporter.report(error)}
        else:
            return
        if result["status"] == "ok":
            result.update(outcome, value=None)

    def _run(self, number, code, publisher, result):
        """The cell itself, and its value if it has one."""
        code = code.replace("\r\n", "\n")
        filename = self._source.register(number, code)
        magic = magic_syntax.cell_magic(code)
        if magic is None:
            value = self._run_python(filename, code)
        else:
            value = self._magics.cell(magic, lambda python_code: self._run_python(filename, python_code))
        if value is not None:
            self._namespace.remember(number, value)
            result["value"] = publisher.bundler.bundle(value)

    def _run_python(self, filename, code):
        """Runs Python code and returns the value to show, or None."""
        cell = self._source.compile(filename, code)
        names = self._namespace.names
        value = self._loop.run(cell.run_awaiting(names)) if cell.awaits else cell.run(names)
        return None if cell.muted else value

    def _end_child(self, result):
        """Ends a process that a cell has forked and that came to the cell's end: the reply is its parent's."""
        if result["error"] is not None:
            print(result["error"]["traceback"], file=sys.stderr)
        self._streams.flush()
        os._exit(1 if result["error"] is not None else result["exit_code"] or 0)


def _exit_code(stop):
    """The exit status of a SystemExit, which has 8 bits; a message in its place is printed, as Python does."""
    if stop.code is None or isinstance(stop.code, int):
        return int(stop.code or 0) & 0xFF
    print(stop.code, file=sys.stderr)
    return 1


def _reseed():
    """Gives a forked session random numbers of its own."""
    random.seed()
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()
