"""The variables of a session, told without running any code of theirs."""

from .representation import plain_text
from .text import clean, cut

_MOST_VARIABLES = 500
_SUMMARY_CHARS = 80
_PLAIN = (type(None), bool, int, float, complex, str, bytes)
_SIZED = (list, tuple, set, frozenset, dict, bytearray)
_SHAPED = ("numpy", "pandas")


def variables(items):
    """`[{"name", "type", "summary"}]` of pairs of different names and their values, sorted by name; at most 500."""
    return [
        {
            "name": cut(clean(name), _SUMMARY_CHARS),
            "type": cut(clean(type(value).__name__), _SUMMARY_CHARS),
            "summary": _summary(value),
        }
        for name, value in sorted(items)[:_MOST_VARIABLES]
    ]


def _summary(value):
    kind = type(value)
    if kind in _PLAIN:
        return plain_text(value, _SUMMARY_CHARS).replace("\n", " ")
    if kind in _SIZED:
        return "%d items" % len(value)
    if kind.__module__.partition(".")[0] in _SHAPED and isinstance(getattr(value, "shape", None), tuple):
        return "shape %s" % (value.shape,)
    return ""
