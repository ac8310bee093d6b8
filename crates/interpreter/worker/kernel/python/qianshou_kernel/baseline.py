"""What of the interpreter itself is put back before a cell and before a reply."""

import builtins
import signal
import sys

from .refused import breakpoint_refused, input_refused

_LEAST_RECURSION_LIMIT = 1000
_TIMERS = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)


class Baseline:
    """The built-in names as the session began, with its own `input`, `display` and magic object among them.

    A cell may replace `print`, set a trace function, an alarm or a low recursion limit, by accident or not. That
    ends with the cell.
    """

    def __init__(self, additions):
        builtins.input = input_refused
        sys.breakpointhook = breakpoint_refused
        self._names = vars(builtins)
        self._names.update(additions)
        self._original = dict(self._names)

    def restore(self):
        """Puts all that back. Uses no built-in function: the cell may have deleted it."""
        self._names.update(self._original)
        sys.breakpointhook = breakpoint_refused
        sys.settrace(None)
        sys.setprofile(None)
        for timer in _TIMERS:
            signal.setitimer(timer, 0)
        if sys.getrecursionlimit() < _LEAST_RECURSION_LIMIT:
            sys.setrecursionlimit(_LEAST_RECURSION_LIMIT)
