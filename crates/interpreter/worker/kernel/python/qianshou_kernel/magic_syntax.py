"""The lines of a cell that are not Python: `%magic`, `!command`, `%%cell magic`.

A cell that is plain Python is never touched: translation starts where the parser has already refused. Then each
line that begins, outside strings, brackets and continued lines, with `%` or `!` becomes a call of the session's
magic object on the same line, so that line numbers stay.
"""

import re
from typing import NamedTuple

MAGIC = "__magic__"
"""Name of the built-in object that translated lines call."""

_TARGET = r"[^\W\d]\w*(?:\.\w+|\[[^\[\]]*\])*"
_BEFORE = r"(?P<before>\s*(?:%s(?:\s*,\s*%s)*\s*=\s*)?)" % (_TARGET, _TARGET)
_LINE_MAGIC = re.compile(_BEFORE + r"%(?P<name>\w+)(?:\s+(?P<rest>.*))?$")
_COMMAND = re.compile(_BEFORE + r"!(?P<rest>.+)$")
_BARE_INSTALL = re.compile(r"(?P<before>\s*)(?P<name>pip3?|conda|mamba|uv)\s+(?P<rest>(?:pip\s+)?install\b.*)$")
_CELL_MAGIC = re.compile(r"\s*%%(?P<name>\w+)[ \t]*(?P<rest>[^\n]*)(?:\n|$)")
_STRING = re.compile(r"'''|\"\"\"|'|\"")
_CLOSES = {"(": ")", "[": "]", "{": "}"}


class CellMagic(NamedTuple):
    """A cell that begins with `%%name arguments`."""

    name: str
    arguments: str
    body: str
    lines_before: int

    def body_in_place(self):
        """The body with empty lines before it, so that its line numbers are the cell's."""
        return "\n" * self.lines_before + self.body


def cell_magic(source):
    """The cell magic with which a cell begins, or None."""
    match = _CELL_MAGIC.match(source)
    if match is None:
        return None
    lines_before = source.count("\n", 0, match.end())
    return CellMagic(match["name"], match["rest"].strip(), source[match.end() :], lines_before)


def translate(source):
    """The cell with its magic lines as calls, and the numbers of those lines."""
    translated, changed = [], set()
    scanner = _Scanner()
    lines = iter(source.split("\n"))
    for line in lines:
        if not scanner.at_statement or _call(line) is None:
            scanner.feed(line)
            translated.append(line)
            continue
        parts = [line]
        while parts[-1].endswith("\\") and (following := next(lines, None)) is not None:
            parts[-1] = parts[-1][:-1]
            parts.append(following)
        changed.add(len(translated) + 1)
        translated.append(_call("".join(parts)) or "")
        translated += [""] * (len(parts) - 1)
    return "\n".join(translated), changed


def _call(line):
    """The Python for a magic line, None for any other."""
    match = _COMMAND.match(line)
    if match is not None:
        wants_output = "capture" if "=" in match["before"] else "run"
        return "%s%s.%s(%r)" % (match["before"], MAGIC, wants_output, match["rest"])
    match = _LINE_MAGIC.match(line) or _BARE_INSTALL.match(line)
    if match is not None:
        return "%s%s.line(%r, %r)" % (match["before"], MAGIC, match["name"], match["rest"] or "")
    return None


class _Scanner:
    """Follows strings, brackets and continued lines through Python that need not be whole."""

    def __init__(self):
        self._quote = None
        self._open = []
        self._continued = False

    @property
    def at_statement(self):
        """Whether the next line begins a statement."""
        return self._quote is None and not self._open and not self._continued

    def feed(self, line):
        position = 0
        while position < len(line):
            if self._quote is not None:
                position = self._string(line, position)
                continue
            character = line[position]
            if character == "#":
                break
            match = _STRING.match(line, position)
            if match is not None:
                self._quote = match[0]
                position = match.end()
                continue
            if character in _CLOSES:
                self._open.append(_CLOSES[character])
            elif self._open and character == self._open[-1]:
                self._open.pop()
            position += 1
        self._continued = line.endswith("\\")
        if self._quote is not None and len(self._quote) == 1 and not self._continued:
            self._quote = None

    def _string(self, line, position):
        """The position after the string's end or, when it goes on, after the line's."""
        while position < len(line):
            if line[position] == "\\":
                position += 2
            elif line.startswith(self._quote, position):
                position += len(self._quote)
                self._quote = None
                return position
            else:
                position += 1
        return position
