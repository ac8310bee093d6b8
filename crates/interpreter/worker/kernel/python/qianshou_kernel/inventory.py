"""The variables of a session, told without running any code of theirs."""

from .representation import plain_text

_SUMMARY_CHARS = 80
_PLAIN = (type(None), bool, int, float, complex, str, bytes)
_SIZED = (list, tuple, set, frozenset, dict, bytearray)
_SHAPED = ("numpy", "pandas")


def variables(items):
    """`[{"name", "type", "summary"}]` of name and value pairs, sorted by name."""
    return [
        {"name": str(name), "type": type(value).__name__, "summary": _summary(value)}
        for name, value in sorted(items, key=lambda item: str(item[0]))
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
