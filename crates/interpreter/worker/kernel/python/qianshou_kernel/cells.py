"""A cell: source text, cut into what runs and what is shown, and compiled."""

import __future__
import ast
import inspect
import linecache

from . import magic_syntax

_FUTURE_FLAGS = [getattr(__future__, name).compiler_flag for name in __future__.all_feature_names]


class Cell:
    """A compiled cell: `body` runs, then `last`, if there is one, gives the value."""

    def __init__(self, body, last, muted):
        self.body = body
        self.last = last
        self.muted = muted

    @property
    def awaits(self):
        """Whether the cell uses `await` outside a function."""
        return any(code is not None and code.co_flags & inspect.CO_COROUTINE for code in (self.body, self.last))

    def run(self, namespace):
        """Runs a cell that does not await, and returns its value."""
        exec(self.body, namespace)
        return None if self.last is None else eval(self.last, namespace)

    async def run_awaiting(self, namespace):
        """Runs a cell in the event loop, and returns its value."""
        value = None
        for code in (self.body, self.last):
            if code is not None:
                value = eval(code, namespace)
                if code.co_flags & inspect.CO_COROUTINE:
                    value = await value
        return value


class Source:
    """Compiles cells, one after the other, and keeps their lines for tracebacks and for `inspect`."""

    def __init__(self):
        self._flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        self._lines = {}
        self._translated = {}

    def register(self, number, code):
        """Gives the cell its file name, under which tracebacks find its lines."""
        filename = "<cell %d>" % number
        self._lines[filename] = [line + "\n" for line in code.split("\n")]
        if next(iter(self._lines)) in linecache.cache:
            self._tell(filename)
        else:
            self.restore()
        return filename

    def restore(self):
        """Makes the lines of all cells known to `linecache`, which a cell may have emptied."""
        for filename in self._lines:
            self._tell(filename)

    def _tell(self, filename):
        lines = self._lines[filename]
        linecache.cache[filename] = (sum(map(len, lines)), None, lines, filename)

    def knows(self, filename):
        """Whether a code object's file name is a cell's."""
        return filename in self._lines

    def is_translated(self, filename, line_number):
        """Whether a line of a cell was a magic, so that columns in it mean nothing."""
        return line_number in self._translated.get(filename, ())

    def compile(self, filename, code):
        """The compiled cell. Raises SyntaxError.

        `from __future__` holds for the cells after it, as at Python's own prompt.
        """
        tree = self._parse(filename, code)
        last, muted = None, False
        if tree.body and isinstance(tree.body[-1], ast.Expr):
            statement = tree.body.pop()
            last = ast.Expression(statement.value)
            muted = _ends_with_semicolon(code, statement)
        body = self._compile(tree, filename, "exec")
        for flag in _FUTURE_FLAGS:
            self._flags |= body.co_flags & flag
        return Cell(body, last and self._compile(last, filename, "eval"), muted)

    def _parse(self, filename, code):
        try:
            return self._compile(code, filename, "exec", ast.PyCF_ONLY_AST)
        except SyntaxError:
            translated, lines = magic_syntax.translate(code)
            if not lines:
                raise
        self._translated[filename] = lines
        return self._compile(translated, filename, "exec", ast.PyCF_ONLY_AST)

    def _compile(self, source, filename, mode, extra_flags=0):
        return compile(source, filename, mode, flags=self._flags | extra_flags, dont_inherit=True)


def _ends_with_semicolon(code, statement):
    """Whether a semicolon follows the last statement, which in a notebook means: do not show its value."""
    line = code.split("\n")[statement.end_lineno - 1]
    after = line.encode("utf-8")[statement.end_col_offset :].decode("utf-8", "replace")
    return after.lstrip(" \t\f\\").startswith(";")
