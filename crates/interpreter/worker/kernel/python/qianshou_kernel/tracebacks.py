"""Tracebacks with the cells' own lines: what kernel and libraries do in between is not the cell's affair."""

import errno
import os
from socket import gaierror
from traceback import FrameSummary, TracebackException

from . import packages
from .text import clean, cut, message_of

_NO_NETWORK = (errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTUNREACH, errno.EAFNOSUPPORT)
_HEADER = "Traceback (most recent call last):\n"


class Reporter:
    """Turns exceptions into what the session returns of them."""

    def __init__(self, source, workspace, network, limits):
        self._source = source
        self._workspace = os.path.join(workspace, "")
        self._network = network
        self._limit = limits.traceback_chars

    def report(self, error):
        """`{"name", "message", "traceback", "hint"}` of an exception."""
        self._source.restore()
        return {
            "name": cut(clean(type(error).__qualname__), 200),
            "message": cut(clean(message_of(error)), self._limit // 2),
            "traceback": self._text(error),
            "hint": self._hint(error),
        }

    def _hint(self, error):
        """What may help beyond the message, or None."""
        if isinstance(error, ModuleNotFoundError) and isinstance(error.name, str):
            return cut(clean(packages.hint_for_missing(error.name)), 2000)
        if not self._network and any(_is_network_error(cause) for cause in _causes(error)):
            return "There is no network here; work with the files of the workspace."
        return None

    def _text(self, error):
        report = TracebackException(type(error), error, error.__traceback__, lookup_lines=False)
        self._trim(report)
        text = "".join(report.format())
        message = "".join(report.format_exception_only())
        before = text[: -len(message)] if text.endswith(message) else ""
        if not before:
            message = text
        elif before == _HEADER:
            before = ""
        message = cut(clean(message), self._limit // 2)
        return _last_lines(clean(before), self._limit - len(message)) + message.rstrip("\n")

    def _trim(self, report):
        """Leaves the frames of cells, and of files in the workspace, in a report and in all that it refers to."""
        pending, seen = [report], set()
        while pending:
            report = pending.pop()
            if id(report) in seen:
                continue
            seen.add(id(report))
            report.__cause__ = self._first_own(report.__cause__)
            report.__context__ = self._first_own(report.__context__)
            report.stack[:] = [self._plain(frame) for frame in report.stack if self._is_own(frame.filename)]
            others = (report.__cause__, report.__context__, *(getattr(report, "exceptions", None) or ()))
            pending += [other for other in others if other is not None]

    def _first_own(self, report):
        """A cause, or what lies behind it, that is not a library's affair alone."""
        seen = set()
        while report is not None and id(report) not in seen:
            if not report.stack or any(self._is_own(frame.filename) for frame in report.stack):
                return report
            seen.add(id(report))
            report = report.__cause__ or report.__context__
        return None

    def _is_own(self, filename):
        return self._source.knows(filename) or filename.startswith(self._workspace)

    def _plain(self, frame):
        """The frame, without columns when its line was translated from a magic."""
        if self._source.is_translated(frame.filename, frame.lineno):
            return FrameSummary(frame.filename, frame.lineno, frame.name, lookup_line=False)
        return frame


def _last_lines(text, limit):
    """The text without as many of its first lines as it takes; a line of it says how many."""
    if len(text) <= limit:
        return text
    lines = text.splitlines(keepends=True)
    kept, room = [], limit - 60
    for line in reversed(lines):
        room -= len(line)
        if room < 0:
            break
        kept.append(line)
    omitted = "  … %d lines omitted …\n" % (len(lines) - len(kept))
    return "".join([omitted, *reversed(kept)])


def _causes(error):
    """An exception and those behind it."""
    seen = set()
    while error is not None and id(error) not in seen:
        yield error
        seen.add(id(error))
        error = error.__cause__ or error.__context__


def _is_network_error(error):
    """Whether an exception is what a connection meets where there is no network."""
    reason = getattr(error, "reason", error)
    return isinstance(reason, gaierror) or (isinstance(reason, OSError) and reason.errno in _NO_NETWORK)
