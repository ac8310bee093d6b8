"""What a session of the exam begins with: input() is off, and every figure that is drawn is described."""


def __exam_prelude():
    import builtins
    import json
    import math
    import sys

    def no_input(prompt=""):
        raise RuntimeError("input() is not available here")

    builtins.input = no_input
    try:
        from matplotlib.collections import PathCollection
        from matplotlib.container import BarContainer
        from matplotlib.figure import Figure
        from matplotlib.patches import PathPatch, Wedge
    except ImportError:
        return

    def numbers(values):
        result = []
        for value in values:
            try:
                value = float(value)
            except (TypeError, ValueError):
                value = math.nan
            result.append(value if math.isfinite(value) else None)
        return result

    def touch(bars):
        """Whether neighbouring bars share an edge, as those of a histogram do."""
        edges = sorted((bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars)
        pairs = list(zip(edges, edges[1:]))
        return bool(pairs) and all(abs(b[0] - a[1]) < 0.01 * (a[1] - a[0]) for a, b in pairs)

    def boxes(axes):
        """The medians of box plots, and the lines that belong to none."""
        filled = [patch.get_path().vertices[:, 0] for patch in axes.patches if isinstance(patch, PathPatch)]
        lines = [line.get_xdata() for line in axes.lines]
        drawn = [x for x in lines if len(x) == 5 and x[0] == x[-1]]
        spans = {(float(min(x)), float(max(x))) for x in filled + drawn}
        if not spans:
            return [], list(axes.lines)
        level = [line for line in axes.lines if len(line.get_xdata()) == 2 and line.get_ydata()[0] == line.get_ydata()[1]]
        return [line for line in level if tuple(map(float, line.get_xdata())) in spans], []

    def describe(figure):
        figure.canvas.draw()
        series = {kind: [] for kind in ("bar", "line", "scatter", "pie", "hist", "box")}
        texts, every = [], figure.axes
        for axes in every:
            for part in axes.containers:
                if isinstance(part, BarContainer):
                    series["hist" if touch(part) else "bar"].append(numbers(part.datavalues))
            medians, lines = boxes(axes)
            series["box"] += [numbers(line.get_ydata()[:1]) for line in medians]
            series["line"] += [numbers(line.get_ydata()) for line in lines]
            series["scatter"] += [
                numbers(part.get_offsets()[:, 1]) for part in axes.collections if isinstance(part, PathCollection)
            ]
            wedges = [patch for patch in axes.patches if isinstance(patch, Wedge)]
            if wedges:
                series["pie"].append(numbers((wedge.theta2 - wedge.theta1) / 360 for wedge in wedges))
            legend = axes.get_legend()
            parts = axes.get_xticklabels() + axes.get_yticklabels() + list(axes.texts)
            parts += legend.get_texts() if legend else []
            texts += [part.get_text() for part in parts if part.get_text()]
        titles = [figure._suptitle.get_text()] if getattr(figure, "_suptitle", None) else []
        return {
            "axes": len(every),
            "titles": titles + [axes.get_title() for axes in every if axes.get_title()],
            "x": [axes.get_xlabel() for axes in every],
            "y": [axes.get_ylabel() for axes in every],
            "texts": texts,
            "series": {kind: found for kind, found in series.items() if found},
        }

    described = {}
    save = Figure.savefig

    def savefig(self, *arguments, **options):
        try:
            described[id(self)] = describe(self)
        except Exception as error:
            described[id(self)] = {
                "axes": len(self.axes), "titles": [], "x": [], "y": [], "texts": [str(error)], "series": {},
            }
        return save(self, *arguments, **options)

    Figure.savefig = savefig

    def give(path):
        with open(path, "w", encoding="utf-8") as file:
            json.dump(list(described.values()), file, ensure_ascii=False)
        described.clear()

    sys.modules["__exam__"] = type(sys)("__exam__")
    sys.modules["__exam__"].give = give


__exam_prelude()
del __exam_prelude
# What is not installed is left out.
for __line in (
    "import numpy as np",
    "import pandas as pd",
    "import matplotlib.pyplot as plt",
    "from sympy import Eq, solve, symbols",
):
    try:
        exec(__line)
    except ImportError:
        pass
del __line
