"""`repr` with an end: what is small is shown as Python shows it, what is huge is not built in full first."""

from .text import clean, cut, message_of

_LEAST_ROOM = 16
_MARKER_ROOM = 64


def plain_text(value, limit):
    """The text of a value, at most about `limit` characters of it. A failing `__repr__` is told, not raised."""
    if limit < _LEAST_ROOM:
        return "…"
    try:
        text = _shortened(value, limit) if _weight(value, limit) > limit else repr(value)
        return cut(clean(text), limit)
    except Exception as error:
        kind = type(value).__name__
        return cut(clean("<%s: its repr raised %s: %s>" % (kind, type(error).__name__, message_of(error))), limit)


def _weight(value, limit):
    """A lower bound of the length of `repr(value)`; counting stops when it is over the limit.

    Only of exact built-in types: another type's `__repr__` is its own affair.
    """
    weight, pending, seen = 0, [iter((value,))], set()
    while pending and weight <= limit:
        for item in pending[-1]:
            kind = type(item)
            if kind in (str, bytes, bytearray):
                weight += len(item)
            elif kind in (list, tuple, set, frozenset, dict) and id(item) not in seen:
                seen.add(id(item))
                weight += 2 * len(item)
                pending.append(iter(item))
                if kind is dict:
                    pending.append(iter(item.values()))
                break
            weight += 1
            if weight > limit:
                break
        else:
            pending.pop()
    return weight


def _shortened(value, limit):
    """The beginning of a huge string or container, and how much follows."""
    kind = type(value)
    if kind in (str, bytes, bytearray):
        half = max(_LEAST_ROOM, limit - _MARKER_ROOM) // 2
        marker = "\n… %d of %d omitted …\n" % (len(value) - 2 * half, len(value))
        return repr(value) if len(value) <= 2 * half else repr(value[:half]) + marker + repr(value[-half:])
    if kind not in (list, tuple, set, frozenset, dict):
        return repr(value)
    parts, length = [], 0
    for shown, item in enumerate(value.items() if kind is dict else value):
        if length > limit * 2 // 3:
            parts.append("… %d more" % (len(value) - shown))
            break
        if kind is dict:
            part = "%s: %s" % (plain_text(item[0], limit // 8), plain_text(item[1], limit // 2))
        else:
            part = plain_text(item, limit // 2)
        parts.append(part)
        length += len(part) + 2
    before, after = {list: "[]", tuple: "()", dict: "{}"}.get(kind, "{}")
    return before + ", ".join(parts) + after
