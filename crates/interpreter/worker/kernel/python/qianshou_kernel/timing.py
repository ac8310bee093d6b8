"""`%time` and `%timeit`."""

import getopt
import os
import statistics
import time
import timeit

_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


class Stopwatch:
    """Prints, at the end of a `with` block, how long it took."""

    def __enter__(self):
        self._wall, self._times = time.perf_counter(), os.times()

    def __exit__(self, *error):
        wall, times = time.perf_counter() - self._wall, os.times()
        user = times.user - self._times.user
        system = times.system - self._times.system
        figures = tuple(duration(seconds) for seconds in (user, system, user + system, wall))
        print("CPU times: user %s, sys: %s, total: %s\nWall time: %s" % figures)


def measure(arguments, names, body=None):
    """`%timeit [-n LOOPS] [-r RUNS] STATEMENT`; as a cell magic, the statement is the set-up of the body."""
    options, statement = _options(arguments)
    timer = timeit.Timer(body or statement, statement if body and statement else "pass", globals=names)
    loops = int(options.get("-n", 0)) or timer.autorange()[0]
    runs = int(options.get("-r", timeit.default_repeat + 2))
    results = [seconds / loops for seconds in timer.repeat(runs, loops)]
    mean, deviation = statistics.fmean(results), statistics.pstdev(results)
    print(
        "%s ± %s per loop (mean ± std. dev. of %d runs, %s loops each)"
        % (duration(mean), duration(deviation), runs, format(loops, ","))
    )


def duration(seconds):
    """A duration with three digits and its unit."""
    for size, unit in _UNITS:
        if seconds >= size:
            return "%.3g %s" % (seconds / size, unit)
    return "%.3g ns" % (seconds * 1e9)


def _options(arguments):
    """The leading options, and the statement as it was written after them."""
    words = arguments.split(" ")
    options = {}
    while words and words[0].startswith("-") and len(words[0]) > 1:
        taken = 2 if words[0] in ("-n", "-r") else 1
        found, _ = getopt.getopt(words[:taken], "n:r:oqtc")
        options.update(found)
        words = words[taken:]
    return options, " ".join(words)
