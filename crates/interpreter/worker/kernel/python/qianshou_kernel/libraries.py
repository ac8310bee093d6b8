"""What is adjusted in libraries so that they work without windows, browsers and terminals."""

import sys

from . import fonts
from .display import screen
from .imports import Adjustments
from .refused import breakpoint_refused

_PANDAS_OPTIONS = {"display.max_columns": 20, "display.max_rows": 60, "display.width": 120}
"""Without a notebook, pandas would fit tables to a terminal of 80 columns that is not there."""


def _pandas(pandas):
    for name, value in _PANDAS_OPTIONS.items():
        pandas.set_option(name, value)


def _pyplot(pyplot):
    def show(*arguments, **options):
        """Shows and closes the open figures. There is no window to wait for."""
        screen.show_figures()

    pyplot.show = show


def _image_show(image_show):
    class Shown(image_show.Viewer):
        def show(self, image, **options):
            screen.show(image)
            return True

    image_show.register(Shown(), 0)


def _plotly(io):
    from plotly.io.base_renderers import ExternalRenderer

    class Shown(ExternalRenderer):
        def render(self, fig_dict):
            from plotly.graph_objects import Figure

            screen.show(Figure(fig_dict))

    io.renderers["session"] = Shown()
    io.renderers.default = "session"


def _debugger(pdb):
    pdb.set_trace = breakpoint_refused


def _multiprocessing(multiprocessing):
    """Python 3.14 changed the default from `fork`, with which functions of a cell can be run."""
    if sys.version_info >= (3, 14):
        multiprocessing.set_start_method("fork")


def _ipython_display(module):
    module.display = screen.display


adjustments = Adjustments(
    {
        "IPython.core.display_functions": _ipython_display,
        "PIL.ImageShow": _image_show,
        "matplotlib": fonts.adopt_settings,
        "matplotlib._mathtext": fonts.adopt_mathtext,
        "matplotlib.font_manager": fonts.adopt,
        "matplotlib.pyplot": _pyplot,
        "multiprocessing": _multiprocessing,
        "pandas": _pandas,
        "pdb": _debugger,
        "plotly.io": _plotly,
    }
)
"""The adjustments of this process. Installed once, by the parent of all sessions or by the session."""
