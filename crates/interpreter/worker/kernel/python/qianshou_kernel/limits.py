"""How much of a cell's outcome may leave the session."""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Limits:
    """Sizes are of text in characters and of encoded data in bytes, before base64."""

    text_chars: int = 16_384
    """Plain text of a value or display; more is cut in the middle."""
    traceback_chars: int = 4_096
    """A traceback; its first lines go first."""
    rich_bytes: int = 262_144
    """Any other text (HTML, SVG, JSON, …) of one bundle; more is left out."""
    image_bytes: int = 4_194_304
    """One image; a larger one is scaled down, or left out."""
    image_pixels: int = 4_000_000
    """One image; a larger one is scaled down."""
    images: int = 8
    """Images of one cell."""
    displays: int = 100
    """Display events of one cell, images included."""
    display_bytes: int = 16_777_216
    """All display events of one cell, as they are sent."""

    @classmethod
    def read(cls, given):
        """The limits of a dict; what it leaves out has its default, what is unknown is ignored."""
        return cls(**{field.name: int(given[field.name]) for field in fields(cls) if field.name in given})
