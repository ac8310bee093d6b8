"""Bundles: one value in several media types, each a string of bounded size."""

import sys
from base64 import b64encode
from itertools import islice
from json import dumps

from . import figures, images
from .representation import plain_text
from .text import clean, cut, message_of

_METHODS = {
    "text/html": "_repr_html_",
    "text/markdown": "_repr_markdown_",
    "text/latex": "_repr_latex_",
    "image/svg+xml": "_repr_svg_",
    "image/png": "_repr_png_",
    "image/jpeg": "_repr_jpeg_",
    "application/json": "_repr_json_",
}
_PLOTLY = "application/vnd.plotly.v1+json"
_MOST_TYPES = 16
_MOST_NOTES = 20


class Bundler:
    """Asks values for their media types. What fails or is too large is left out, and `notes` says so."""

    def __init__(self, limits, notes):
        self._limits = limits
        self._notes = notes

    def bundle(self, value):
        """All media types of a value, `text/plain` always among them."""
        offered = self._library_types(value) or self._own_types(value)
        found = self.bounded(offered)
        if "text/plain" not in found:
            found["text/plain"] = plain_text(value, self._limits.text_chars)
        return found

    def bounded(self, offered):
        """What of a dict from media type to data may be sent, as strings."""
        found = {}
        for mime, data in islice(offered.items(), _MOST_TYPES):
            try:
                mime, text = self._encoded(mime, data)
            except Exception as error:
                self._note("the %s of a value cannot be sent: %s", mime, message_of(error))
                continue
            if text is not None:
                found[mime] = text
        return found

    def _library_types(self, value):
        """The types of objects that need more care than their own methods take."""
        if figures.is_figure(value):
            return {"image/png": figures.png(value, self._limits)}
        if images.is_picture(value):
            encoded = images.encode(value, self._limits)
            return {encoded[0]: encoded[1]} if encoded else {}
        plotly = sys.modules.get("plotly.basedatatypes")
        if plotly is not None and issubclass(type(value), plotly.BaseFigure):
            return {_PLOTLY: value.to_json()}
        return {}

    def _own_types(self, value):
        """What the value's class offers; `_repr_mimebundle_` goes before the single methods."""
        kind = type(value)
        if isinstance(value, type):
            return {}
        offered = self._ask(kind, "_repr_mimebundle_", value) or {}
        offered = dict(offered) if isinstance(offered, dict) else {}
        for mime, method in _METHODS.items():
            if mime in offered or (mime == "image/jpeg" and "image/png" in offered):
                continue
            data = self._ask(kind, method, value)
            if data is not None:
                offered[mime] = data
        return offered

    def _ask(self, kind, method, value):
        if not callable(getattr(kind, method, None)):
            return None
        try:
            answer = getattr(value, method)()
        except Exception as error:
            self._note("%s.%s raised %s: %s", kind.__name__, method, type(error).__name__, message_of(error))
            return None
        return answer[0] if isinstance(answer, tuple) and answer else answer

    def _encoded(self, mime, data):
        """`(mime, string)`; None for the string of what is too large."""
        mime = clean(mime)[:100]
        if mime.startswith("image/") and not isinstance(data, str):
            fitting = images.fit(mime, bytes(data), self._limits)
            if fitting is None:
                return self._too_large(mime)
            return fitting[0], b64encode(fitting[1]).decode("ascii")
        if not isinstance(data, str):
            data = dumps(data, ensure_ascii=False, allow_nan=False) if mime.endswith("json") else str(data)
        data = clean(data)
        if mime == "text/plain":
            return mime, cut(data, self._limits.text_chars)
        limit = self._limits.image_bytes if mime in ("image/png", "image/jpeg") else self._limits.rich_bytes
        return (mime, data) if len(data) <= limit else self._too_large(mime)

    def _too_large(self, mime):
        self._note("the %s of a value is too large and was left out", mime)
        return mime, None

    def _note(self, message, *values):
        if len(self._notes) < _MOST_NOTES:
            self._notes.append(cut(clean(message % values), 500))
