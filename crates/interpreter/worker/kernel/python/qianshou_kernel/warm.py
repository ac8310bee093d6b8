"""The parent of sessions: a process that has imported what cells use, and runs no cell itself."""

import contextlib
import gc
import importlib
import platform
import sys
import time

from . import fonts, packages
from .libraries import adjustments
from .notebook import stand_in
from .text import clean, message_of


_COMPANIONS = {
    "matplotlib.pyplot": ("PIL.JpegImagePlugin", "PIL.PngImagePlugin", "matplotlib.backends.backend_agg"),
    "pandas": ("pandas.io.formats.html", "pandas.io.formats.string"),
    "sympy": (
        "sympy.combinatorics",
        "sympy.integrals.heurisch",
        "sympy.integrals.manualintegrate",
        "sympy.integrals.risch",
    ),
}
"""What a library imports itself when it is first used: the first integral takes a fifth of the time with it."""


def warm_up(modules):
    """Imports modules, so that a session forked from this process has them at once.

    Absent and broken modules are told, not raised. `packages` of the result are the names of all packages that can
    be imported beside the standard library; looking for them here saves it later. The garbage collector then leaves
    all this alone: a collection in a child would touch, and so copy, every page that the processes share.
    """
    adjustments.install()
    stand_in.install()
    importlib.import_module("multiprocessing")
    imported, missing, failed = [], [], []
    for name in modules:
        begin = time.perf_counter()
        try:
            module = importlib.import_module(name)
            for companion in _COMPANIONS.get(name, ()):
                with contextlib.suppress(ImportError):
                    importlib.import_module(companion)
        except ModuleNotFoundError as error:
            if error.name is not None and (name + ".").startswith(error.name + "."):
                missing.append(name)
            else:
                failed.append(_failure(name, error))
        except Exception as error:
            failed.append(_failure(name, error))
        else:
            imported.append(
                {"name": name, "version": _version(module), "milliseconds": 1e3 * (time.perf_counter() - begin)}
            )
    result = {
        "python": python(),
        "imported": imported,
        "missing": missing,
        "failed": failed + adjustments.failed,
        "packages": sorted(packages.importable()),
        "cjk_font": fonts.found(),
    }
    gc.collect()
    gc.freeze()
    return result


def python():
    """Which Python this is."""
    return {"version": platform.python_version(), "executable": sys.executable or "", "prefix": sys.prefix}


def _failure(name, error):
    return {"name": name, "error": clean("%s: %s" % (type(error).__name__, message_of(error)))}


def _version(module):
    package = sys.modules.get(module.__name__.partition(".")[0])
    version = getattr(package, "__version__", None)
    return version if isinstance(version, str) else None
