"""Loads the kernel package from sources in memory: nothing that a cell can write is ever imported as the kernel."""

import importlib
import importlib.abc
import importlib.util
import sys

PACKAGE = "qianshou_kernel"


class _Sources(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds the modules of one package in a dict of file stems and texts."""

    def __init__(self, sources):
        self._texts = {
            PACKAGE if stem == "__init__" else "%s.%s" % (PACKAGE, stem): text for stem, text in sources.items()
        }

    def find_spec(self, fullname, path=None, target=None):
        if fullname not in self._texts:
            return None
        origin = "<%s>" % fullname
        return importlib.util.spec_from_loader(fullname, self, origin=origin, is_package=fullname == PACKAGE)

    def get_source(self, fullname):
        return self._texts[fullname]

    def get_code(self, fullname):
        return compile(self._texts[fullname], "<%s>" % fullname, "exec", dont_inherit=True)

    def is_package(self, fullname):
        return fullname == PACKAGE


def load(sources):
    """Executes the package, all of its modules, and returns it. `sources` maps file stems to texts.

    Nothing stays behind on `sys.meta_path` or `sys.path`.
    """
    finder = _Sources(sources)
    sys.meta_path.insert(0, finder)
    try:
        package = importlib.import_module(PACKAGE)
        for stem in sources:
            if stem != "__init__":
                importlib.import_module("%s.%s" % (PACKAGE, stem))
    finally:
        sys.meta_path.remove(finder)
    return package
