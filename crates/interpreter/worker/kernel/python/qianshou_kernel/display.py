"""`display()`: what a cell shows beside its value."""

from os import getpid
from threading import RLock

from . import figures, images
from .bundles import Bundler


class Publisher:
    """Sends the displays of one cell, within its limits."""

    def __init__(self, emit, limits, streams, notes):
        self.bundler = Bundler(limits, notes)
        self._emit = emit
        self._limits = limits
        self._streams = streams
        self._notes = notes
        self._displays = self._images = self._bytes = 0
        self._left_out = 0

    def publish(self, bundle, source):
        """Sends a bundle, after all text that the cell has printed before it."""
        is_image = any(mime.startswith("image/") for mime in bundle)
        size = sum(len(mime) + len(data) for mime, data in bundle.items())
        if (
            self._displays >= self._limits.displays
            or self._bytes + size > self._limits.display_bytes
            or (is_image and self._images >= self._limits.images)
        ):
            self._left_out += 1
            return
        self._displays += 1
        self._images += is_image
        self._bytes += size
        self._streams.flush()
        self._emit("display", {"data": bundle, "source": source})

    def wants(self, value):
        """Whether a figure or picture may still be shown. Saves drawing it when not."""
        if self._images < self._limits.images or not (figures.is_figure(value) or images.is_picture(value)):
            return True
        self._left_out += 1
        return False

    def finish(self):
        """Tells how many displays were left out."""
        if self._left_out:
            limits = (self._left_out, self._limits.displays, self._limits.images)
            self._notes.append("%d more displays were left out: a cell may show %d, of them %d images" % limits)


class Screen:
    """Where displays go: to the publisher of the running cell, if this is its process."""

    def __init__(self):
        self._publisher = None
        self._process = None
        self._lock = RLock()

    def open(self, publisher):
        """Lets displays go to a publisher."""
        self._publisher = publisher
        self._process = getpid()
        self._lock = RLock()

    def close(self):
        """Ends that, when a display that a thread is about to send has gone."""
        with self._lock:
            self._publisher = None

    def show(self, value, source="display"):
        """Shows a value. Between cells, and in a child process, only its text, on standard output."""
        with self._lock:
            publisher = self._publisher
            if publisher is None or getpid() != self._process:
                print(repr(value))
            elif publisher.wants(value):
                publisher.publish(publisher.bundler.bundle(value), source)

    def show_bundle(self, bundle):
        """Shows data that is already a dict from media type to data."""
        with self._lock:
            publisher = self._publisher
            if publisher is not None and getpid() == self._process:
                publisher.publish(publisher.bundler.bounded(bundle), "display")

    def show_figures(self):
        """Shows pyplot's open figures, and closes them."""
        figures.show_open(lambda figure: self.show(figure, "figure"))

    def display(self, *values, raw=False, **options):
        """Shows each value in the richest form that it has. With `raw`, values are dicts by media type."""
        for value in values:
            if raw:
                self.show_bundle(value)
            else:
                self.show(value)


screen = Screen()
"""The screen of this process."""
