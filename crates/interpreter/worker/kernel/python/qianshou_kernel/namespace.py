"""`__main__`: the names of a session."""

import builtins
import sys
import types


class Namespace:
    """The module in which cells run. Without `__file__` and with no `__spec__`, as at Python's prompt: a
    child of `multiprocessing` must not try to run a main file again."""

    def __init__(self):
        self._main = types.ModuleType("__main__")
        self._before = sys.modules.get("__main__")  # Kept alive: code of it may still run.
        self._shown = [None, None, None]
        self.restore()

    @property
    def names(self):
        """The dict of globals."""
        return vars(self._main)

    def restore(self):
        """Puts back what makes the module the main one; what a warning said once may be said again."""
        sys.modules["__main__"] = self._main
        self.names.update(__name__="__main__", __builtins__=builtins)
        self.names.pop("__warningregistry__", None)

    def remember(self, number, value):
        """Binds `_N` to the value of cell N and, unless the cells use `_` themselves, `_`, `__`, `___`."""
        names = self.names
        names["_%d" % number] = value
        if names.get("_") is self._shown[0]:
            self._shown = [value, *self._shown[:2]]
            names.update(zip(("_", "__", "___"), self._shown))

    def user_items(self):
        """Names and values that cells have bound, without those that begin with an underscore."""
        return [(name, self.names[name]) for name in list(self.names) if type(name) is str and name[:1] != "_"]

    def clear(self):
        """Forgets every name."""
        self.names.clear()
        self._shown = [None, None, None]
        self.restore()
