"""Which packages there are, for cells that want one that is not."""

import difflib
import functools
import importlib.metadata
import importlib.util
import re
import sys

_INSTALLERS = {"pip", "setuptools", "wheel", "pkg_resources", "distutils-precedence"}
_MOST_LISTED = 30
_STANDARD = sorted(getattr(sys, "stdlib_module_names", sys.builtin_module_names))
_WELL_KNOWN = {
    "PIL",
    "matplotlib",
    "networkx",
    "numpy",
    "openpyxl",
    "pandas",
    "plotly",
    "polars",
    "requests",
    "scipy",
    "seaborn",
    "sklearn",
    "statsmodels",
    "sympy",
    "torch",
}
_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_OPTIONS_WITH_VALUE = {
    "-r",
    "-c",
    "-i",
    "-f",
    "-t",
    "-n",
    "--index-url",
    "--extra-index-url",
    "--target",
    "--requirement",
}


@functools.lru_cache(maxsize=None)
def installed():
    """`{normalised name: (version, import names)}` of the installed distributions, less the installers."""
    found = {}
    for distribution in importlib.metadata.distributions():
        name = distribution.metadata["Name"]
        if name and _normal(name) not in _INSTALLERS:
            found.setdefault(_normal(name), (distribution.version, _import_names(distribution)))
    return found


def importable():
    """The import names of all installed packages."""
    return {name for _, names in installed().values() for name in names}


def hint_for_missing(module):
    """What to say beside a ModuleNotFoundError for a module, dots in it included."""
    package = module.partition(".")[0]
    if package != module and _can_import(package):
        return "%s is installed%s, but has no module %s." % (package, _version_of(package), module)
    return " ".join(
        ["The package %s is not installed, and packages cannot be installed here." % package, _offer([package])]
    )


def answer_install(arguments):
    """The answer to `pip install …`, in words: what is there already, and what cannot be had."""
    wanted, skip = [], False
    for word in arguments.partition("install")[2].split():
        if skip or word.startswith("-"):
            skip = not skip and word in _OPTIONS_WITH_VALUE
            continue
        match = _REQUIREMENT.match(word.strip("'\""))
        if match is not None:
            wanted.append(match[0])
    lines, missing = [], []
    for name in wanted:
        known = installed().get(_normal(name))
        if known is None:
            missing.append(name)
        else:
            lines.append("%s %s is already installed." % (name, known[0]))
    if missing or not wanted:
        lines.append(
            "Packages cannot be installed here%s. %s"
            % (": no " + ", ".join(missing) if missing else "", _offer(missing))
        )
    return "\n".join(lines)


def _offer(wanted):
    """Names that look like the wanted ones, then what can be imported, the best known first."""
    names = sorted(importable(), key=lambda name: (name not in _WELL_KNOWN, name.lower()))
    near = [
        match for name in wanted for match in difflib.get_close_matches(name, names + _STANDARD, n=3, cutoff=0.75)
    ]
    listed = ", ".join(names[:_MOST_LISTED]) or "the standard library only"
    if len(names) > _MOST_LISTED:
        listed += ", and %d more" % (len(names) - _MOST_LISTED)
    similar = "Similar: %s. " % ", ".join(near) if near else ""
    return "%sImportable: %s." % (similar, listed)


def _normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def _can_import(package):
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def _version_of(package):
    for version, names in installed().values():
        if package in names:
            return " (%s)" % version
    return ""


def _import_names(distribution):
    """The modules that a distribution puts beside others, without private ones."""
    top_level = distribution.read_text("top_level.txt")
    if top_level is not None:
        names = set(top_level.split())
    else:
        names = {_top_module(path) for path in distribution.files or ()}
    return {name for name in names if name.isidentifier() and not name.startswith("_")}


def _top_module(path):
    """The module to which an installed file belongs; empty for metadata, scripts and data."""
    if path.suffix not in (".py", ".so", ".pyd") or path.parts[0] == "..":
        return ""
    return path.parts[0].partition(".")[0]
