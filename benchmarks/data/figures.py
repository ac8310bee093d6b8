"""Runs a solution and describes the figures that it leaves open, read from the live objects.

    python figures.py SOLUTION.py FIGURES.json

What the solution prints goes to standard output. FIGURES.json gets a list, a figure each, of
`axes` (how many), `titles`, `x` and `y` (axis labels), `texts` (legend entries, tick labels, other
text) and `series`: for each kind of plot a list of series, each a list of numbers. These are

- `bar`: the lengths of the bars, whether they stand or lie;
- `hist`: the counts of the bins (bars that touch each other);
- `line` and `scatter`: the y values;
- `pie`: the share of each wedge, so that they add up to 1;
- `box`: the median alone; each box is a series.
"""

import json
import runpy
import sys
from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.collections import PathCollection
from matplotlib.container import BarContainer
from matplotlib.patches import PathPatch, Wedge


def texts_of(axes):
    """Legend entries, tick labels and free text of an axes, without empty ones."""
    legend = axes.get_legend()
    parts = axes.get_xticklabels() + axes.get_yticklabels() + list(axes.texts)
    parts += legend.get_texts() if legend else []
    return [part.get_text() for part in parts if part.get_text()]


def touch(bars):
    """Whether neighbouring bars share an edge, as those of a histogram do."""
    edges = sorted((bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars)
    return len(edges) > 1 and all(abs(b[0] - a[1]) < 0.01 * (a[1] - a[0]) for a, b in pairwise(edges))


def is_outline(line):
    """Whether a line is an upright rectangle: the box of an unfilled box plot."""
    x, y = line.get_data()
    return len(x) == 5 and (x[0], y[0]) == (x[-1], y[-1]) and len(set(x)) == len(set(y)) == 2


def split_lines(axes):
    """The medians of the box plots of an axes, or, where there are none, its lines."""
    boxes = [line.get_xydata() for line in axes.lines if is_outline(line)]
    boxes += [patch.get_path().vertices for patch in axes.patches if isinstance(patch, PathPatch)]
    if not boxes:
        return [], list(axes.lines)
    medians = []
    for value, along in ((1, 0), (0, 1)):  # standing boxes, then lying ones
        spans = {(box[:, along].min(), box[:, along].max()) for box in boxes}
        for points in (line.get_xydata() for line in axes.lines):
            if len(points) == 2 and points[0][value] == points[1][value] and tuple(sorted(points[:, along])) in spans:
                medians.append(float(points[0][value]))
    return medians, []


def series_of(axes):
    bars = [part for part in axes.containers if isinstance(part, BarContainer)]
    medians, lines = split_lines(axes)
    wedges = [patch for patch in axes.patches if isinstance(patch, Wedge)]
    points = [part for part in axes.collections if isinstance(part, PathCollection)]
    return {
        "bar": [list(map(float, part.datavalues)) for part in bars if not touch(part)],
        "hist": [list(map(float, part.datavalues)) for part in bars if touch(part)],
        "line": [list(map(float, line.get_ydata())) for line in lines],
        "scatter": [part.get_offsets()[:, 1].tolist() for part in points],
        "pie": [[float(wedge.theta2 - wedge.theta1) / 360 for wedge in wedges]] if wedges else [],
        "box": [[median] for median in medians],
    }


def describe(figure):
    figure.canvas.draw()
    every = figure.axes
    series = {}
    for axes in every:
        for kind, found in series_of(axes).items():
            series.setdefault(kind, []).extend(found)
    return {
        "axes": len(every),
        "titles": [text for text in [figure.get_suptitle()] + [axes.get_title() for axes in every] if text],
        "x": [axes.get_xlabel() for axes in every],
        "y": [axes.get_ylabel() for axes in every],
        "texts": [text for axes in every for text in texts_of(axes)],
        "series": series,
    }


def main():
    solution, target = sys.argv[1:]
    plt.switch_backend("Agg")
    runpy.run_path(solution, run_name="__main__")
    found = [describe(plt.figure(number)) for number in plt.get_fignums()]
    Path(target).write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
