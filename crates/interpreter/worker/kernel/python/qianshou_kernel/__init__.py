"""What a cell means: the part of the sandboxed interpreter that runs inside the user's own Python.

A `Session` executes cells as a notebook does: it shows the value of the last expression, keeps names between
cells, captures figures, trims tracebacks. `warm_up` prepares a parent process from which sessions are forked.

The package knows nothing of processes, pipes and limits of the system: whoever embeds it gives a function that
takes display events, and reads standard output and error from the descriptors. It restores what a cell may have
bent in the interpreter, as tidiness: the boundary against hostile code is the sandbox around the process.
"""

from .session import Session
from .warm import warm_up

__all__ = ["Session", "warm_up"]
