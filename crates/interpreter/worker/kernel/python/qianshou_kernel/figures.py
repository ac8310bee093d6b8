"""Matplotlib's figures as PNG images of bounded size."""

import io
import sys
import weakref

_LEAST_DPI = 10
_MOST_PIXELS_A_SIDE = 20_000
_MOST_STRETCH = 2
"""A figure with labels outside its frame is shown with them, unless they make it this many times larger."""

_shown = weakref.WeakSet()


class FigureTooLarge(ValueError):
    """A figure cannot be drawn within the limits at any legible resolution."""

    __module__ = "builtins"


def is_figure(value):
    """Whether a value is one of matplotlib's figures."""
    module = sys.modules.get("matplotlib.figure")
    return module is not None and issubclass(type(value), getattr(module, "Figure", ()))


def png(figure, limits):
    """The figure as PNG, with what stands around its axes, at its own resolution or less.

    It counts as shown, so that it is not shown again at the cell's end.
    """
    _shown.add(figure)
    width, height = figure.get_size_inches()
    own_dpi = figure.dpi
    figure.dpi = _dpi(own_dpi, width, height, limits)
    try:
        frame = _frame_with_labels(figure, width, height)
        dpi = figure.dpi if frame is None else _dpi(figure.dpi, frame.width, frame.height, limits)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=dpi, bbox_inches=frame)
        return buffer.getvalue()
    finally:
        figure.dpi = own_dpi


def open_figures():
    """Pyplot's open figures in the order of their numbers, which is that of their creation."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None or not hasattr(pyplot, "get_fignums"):
        return []
    return [pyplot.figure(number) for number in pyplot.get_fignums()]


def show_open(publish):
    """Gives each open figure that was not yet shown and has something in it to `publish`, and closes all.

    One that cannot be drawn does not keep the others from being shown; its error is raised at the end.
    """
    failure = None
    try:
        for figure in open_figures():
            if figure not in _shown and _has_content(figure):
                try:
                    publish(figure)
                except Exception as error:
                    failure = failure or error
    finally:
        close_open()
    if failure is not None:
        raise failure


def close_open():
    """Closes all figures without showing them."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None and hasattr(pyplot, "close"):
        pyplot.close("all")


def _dpi(wanted, width, height, limits):
    """The resolution at which a size in inches keeps to the limits."""
    most = (limits.image_pixels / max(width * height, 1e-9)) ** 0.5
    dpi = min(wanted, most, _MOST_PIXELS_A_SIDE / max(width, height, 1e-9))
    if dpi < min(wanted, _LEAST_DPI):
        raise FigureTooLarge("a figure of %g × %g inches is too large to be shown" % (width, height))
    return dpi


def _frame_with_labels(figure, width, height):
    """The box in inches around all that is drawn, or None: far more than the figure, or not to be had. What is
    wrong with the figure itself shows when it is drawn; before matplotlib 3.6 there is no such box."""
    try:
        figure.draw_without_rendering()
        frame = figure.get_tightbbox()
        stretched = max(frame.width / width, frame.height / height)
        if not 0 < stretched <= _MOST_STRETCH:
            return None
        return frame.padded(sys.modules["matplotlib"].rcParams["savefig.pad_inches"])
    except Exception:
        return None


def _has_content(figure):
    return bool(figure.axes or figure.artists or figure.images or figure.lines or figure.texts or figure.patches)
