"""Adjusting a library as soon as it is imported, whoever imports it."""

import importlib.abc
import importlib.util
import sys


class Adjustments(importlib.abc.MetaPathFinder):
    """Runs an action on each module of a table after its import, or now if it is imported already.

    An adjustment must never break an import: one that fails, for a version of the library that is not as
    expected, is listed in `failed`.
    """

    def __init__(self, actions):
        self.failed = []
        self._actions = dict(actions)
        self._finding = set()

    def install(self):
        """Begins to watch imports, once."""
        if self in sys.meta_path:
            return
        sys.meta_path.insert(0, self)
        for name in list(self._actions):
            if name in sys.modules:
                self._adjust(name, sys.modules[name])

    def find_spec(self, fullname, path=None, target=None):
        if fullname not in self._actions or fullname in self._finding:
            return None
        self._finding.add(fullname)
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._finding.discard(fullname)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def execute_and_adjust(module):
            execute(module)
            self._adjust(fullname, module)

        spec.loader.exec_module = execute_and_adjust
        return spec

    def _adjust(self, name, module):
        action = self._actions.pop(name, None)
        if action is None:
            return
        try:
            action(module)
        except Exception as error:
            self.failed.append({"name": name, "error": "adjustment: %s: %s" % (type(error).__name__, error)})
