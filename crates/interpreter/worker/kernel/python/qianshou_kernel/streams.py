"""Standard output and error: line-buffered text on descriptors 1 and 2."""

import io
import os
import sys

_DESCRIPTORS = {"stdout": 1, "stderr": 2}


class Streams:
    """The session's own `sys.stdin`, `sys.stdout` and `sys.stderr`.

    Line buffering keeps the order between what Python prints and what C code or a child writes to the same
    descriptor.
    """

    def __init__(self):
        self._own = {}
        self.restore()

    def restore(self):
        """Puts the session's own streams back, opened anew where a cell closed them."""
        for name, descriptor in _DESCRIPTORS.items():
            stream = self._own.get(name)
            if stream is None or stream.closed:
                stream = self._own[name] = _writer(getattr(sys, name), descriptor)
            setattr(sys, name, stream)
            setattr(sys, "__%s__" % name, stream)
        if self._own.get("stdin") is None or self._own["stdin"].closed:
            self._own["stdin"] = open(os.devnull, encoding="utf-8")
        sys.stdin = sys.__stdin__ = self._own["stdin"]

    def flush(self):
        """Hands all text to the descriptors. A descriptor that the cell closed has lost its text."""
        for stream in (sys.stdout, sys.stderr, self._own["stdout"], self._own["stderr"]):
            try:
                stream.flush()
            except Exception:
                continue


def _writer(existing, descriptor):
    """The existing stream where it is a plain one on this descriptor: loggers may already hold it."""
    settings = {"encoding": "utf-8", "errors": "backslashreplace", "line_buffering": True}
    if existing is not None and not existing.closed and _descriptor(existing) == descriptor:
        existing.reconfigure(**settings)
        return existing
    raw = io.FileIO(descriptor, "w", closefd=False)
    return io.TextIOWrapper(io.BufferedWriter(raw), **settings)


def _descriptor(stream):
    try:
        return stream.fileno() if isinstance(stream, io.TextIOWrapper) else None
    except io.UnsupportedOperation:
        return None
