"""SIGINT, which is how a time limit first asks a cell to stop."""

import contextlib
import signal


class Interrupts:
    """Raises KeyboardInterrupt while, and only while, a cell's own code runs.

    A signal that comes later, when the reply is already being written, must hit neither the reply nor the next
    cell. The signal mask would do as well, but child processes inherit it.
    """

    def __init__(self):
        self._listening = False
        self._held = False
        self._pending = False

    def listen(self):
        """Installs the handler, whatever the last cell made of it, and lets it raise from now on."""
        signal.signal(signal.SIGINT, self._on_signal)
        self._pending = self._held = False
        self._listening = True

    def ignore(self):
        """From now on a signal does nothing."""
        self._listening = False
        signal.signal(signal.SIGINT, self._on_signal)

    @contextlib.contextmanager
    def held(self):
        """Holds a signal back until the end of the block, for what must not be left half done."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self._pending:
            self._pending = False
            raise KeyboardInterrupt

    def _on_signal(self, number, frame):
        if self._listening and self._held:
            self._pending = True
        elif self._listening:
            raise KeyboardInterrupt


interrupts = Interrupts()
"""The interrupts of this process."""
