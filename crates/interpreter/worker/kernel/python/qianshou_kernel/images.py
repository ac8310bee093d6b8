"""Pictures as PNG or JPEG of bounded size, by Pillow."""

import io
import sys

_DIRECT_MODES = ("1", "L", "LA", "P", "RGB", "RGBA")
_LEAST_SIDE = 16


def is_picture(value):
    """Whether a value is one of Pillow's images."""
    module = sys.modules.get("PIL.Image")
    return module is not None and issubclass(type(value), getattr(module, "Image", ()))


def encode(picture, limits):
    """`(mime, data)` of a picture, scaled down to the limits, or None when even a small one is over them."""
    if picture.mode not in _DIRECT_MODES:
        picture = picture.convert("L" if picture.mode.startswith(("I", "F")) else "RGB")
    scale = min(1.0, (limits.image_pixels / max(1, picture.width * picture.height)) ** 0.5)
    while True:
        size = (max(1, int(picture.width * scale)), max(1, int(picture.height * scale)))
        scaled = picture if scale == 1.0 else picture.convert(_scalable(picture.mode)).resize(size)
        for kind in ("PNG", "JPEG") if scaled.mode in ("L", "RGB") else ("PNG",):
            data = _saved(scaled, kind)
            if len(data) <= limits.image_bytes:
                return "image/" + kind.lower(), data
        if min(size) <= _LEAST_SIDE:
            return None
        scale /= 2


def fit(mime, data, limits):
    """Encoded data as it is when it is within the limits, else decoded and encoded again, or None."""
    module = sys.modules.get("PIL.Image")
    if module is None:
        return (mime, data) if len(data) <= limits.image_bytes else None
    with module.open(io.BytesIO(data)) as picture:
        if len(data) <= limits.image_bytes and picture.width * picture.height <= limits.image_pixels:
            return mime, data
        return encode(picture, limits)


def _saved(picture, kind):
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


def _scalable(mode):
    return {"1": "L", "P": "RGBA"}.get(mode, mode)
