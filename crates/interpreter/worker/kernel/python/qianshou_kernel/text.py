"""Text as it leaves the session: valid Unicode of a bounded length."""


def clean(text):
    """An exact `str` without lone surrogates: those become escapes, as on standard output."""
    return str.encode(text, "utf-8", "backslashreplace").decode("utf-8")


def cut(text, limit):
    """The text, or, of a longer one, head and tail with a marker between that says how much is missing."""
    if len(text) <= limit:
        return text
    head = limit * 2 // 3
    tail = limit - head
    return "%s\n… %d characters omitted …\n%s" % (text[:head], len(text) - limit, text[len(text) - tail :])


def message_of(error):
    """What an exception says; its `__str__` may itself fail."""
    try:
        return str(error)
    except Exception as failure:
        return "<its __str__ raised %s>" % type(failure).__name__
