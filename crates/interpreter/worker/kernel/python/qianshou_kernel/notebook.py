"""A stand-in for `IPython.display`, from which code written for notebooks imports.

It is found only where IPython is not installed, and has what shows something, nothing that runs something.
"""

import importlib.abc
import importlib.util
import sys
from pathlib import Path

from .display import screen


class Shown:
    """Data of one media type, given as such or as a file, shown when it is a cell's value or displayed."""

    mime = "text/plain"

    def __init__(self, data=None, url=None, filename=None, **options):
        if url is not None or str(data).startswith(("http://", "https://")):
            raise ValueError("nothing is fetched to be shown here: give the data or a file")
        self.data = data if filename is None else self._read(Path(filename))

    def _read(self, path):
        return path.read_text("utf-8")

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {self.mime: self.data}

    def __repr__(self):
        return "<%s>" % type(self).__name__


class HTML(Shown):
    mime = "text/html"


class Markdown(Shown):
    mime = "text/markdown"


class Latex(Shown):
    mime = "text/latex"


class Math(Latex):
    def _repr_mimebundle_(self, include=None, exclude=None):
        return {self.mime: "$\\displaystyle %s$" % self.data.strip("$")}


class JSON(Shown):
    mime = "application/json"


class SVG(Shown):
    mime = "image/svg+xml"


class Image(Shown):
    """A PNG or JPEG image. The first argument may also name its file."""

    def __init__(self, data=None, url=None, filename=None, **options):
        if url is None and isinstance(data, (str, Path)) and "://" not in str(data):
            data, filename = None, data
        super().__init__(data, url, filename)

    def _read(self, path):
        return path.read_bytes()

    @property
    def mime(self):
        return "image/jpeg" if self.data[:3] == b"\xff\xd8\xff" else "image/png"


def clear_output(wait=False):
    """What was shown cannot be taken back here."""


def get_ipython():
    """There is no IPython shell."""


_DISPLAY = {
    "display": screen.display,
    "clear_output": clear_output,
    **{kind.__name__: kind for kind in (HTML, Image, JSON, Latex, Markdown, Math, SVG)},
}
_CONTENTS = {
    "IPython": {"get_ipython": get_ipython, "display": screen.display, "version_info": (0, 0, 0)},
    "IPython.display": _DISPLAY,
}


class StandIn(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the stand-in for an import that all others have failed to find."""

    def install(self):
        """Goes to the end of the finders, once."""
        if self not in sys.meta_path:
            sys.meta_path.append(self)

    def find_spec(self, fullname, path=None, target=None):
        if fullname not in _CONTENTS:
            return None
        return importlib.util.spec_from_loader(fullname, self, is_package=fullname == "IPython")

    def exec_module(self, module):
        vars(module).update(_CONTENTS[module.__name__])


stand_in = StandIn()
"""The stand-in of this process."""
