"""The translation of cells that are not Python, as such."""

import random
import sysconfig
import unittest
import warnings
from pathlib import Path

from .driver import load_kernel

magic_syntax = load_kernel().magic_syntax


class Translation(unittest.TestCase):
    def test_no_line_of_the_standard_library_looks_like_a_magic(self):
        """Real Python, with all its strings and brackets: in none of it does a statement begin with a magic."""
        paths = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")) + sorted(
            Path(sysconfig.get_path("stdlib"), "re").glob("*.py")
        )
        self.assertGreater(len(paths), 100)
        for path in paths:
            source = path.read_text("utf-8", "surrogateescape")
            self.assertEqual(magic_syntax.translate(source), (source, set()), path.name)

    def test_a_magic_after_real_python_is_found(self):
        source = Path(sysconfig.get_path("stdlib"), "argparse.py").read_text("utf-8")
        translated, lines = magic_syntax.translate(source + "\n!echo it's\n%time x")
        self.assertEqual(
            translated.splitlines()[-2:], ['__magic__.run("echo it\'s")', "__magic__.line('time', 'x')"]
        )
        self.assertEqual(lines, {source.count("\n") + 2, source.count("\n") + 3})

    def test_any_text_keeps_its_lines(self):
        generator = random.Random(20230928)
        pieces = [
            "%time",
            "!ls",
            "!",
            "%",
            "x = ",
            "'",
            '"',
            '"""',
            "'''",
            "\\",
            "\n",
            " ",
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            "#",
            "f'{",
            "%%",
            "=",
            "é",
            "\t",
        ]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for _ in range(5_000):
                source = "".join(generator.choices(pieces, k=generator.randint(0, 25)))
                translated, lines = magic_syntax.translate(source)
                self.assertEqual(translated.count("\n"), source.count("\n"), source)
                magic_syntax.cell_magic(source)
                if not lines:
                    self.assertEqual(translated, source)

    def test_targets_of_assignments(self):
        for line, call in (
            ("a = !ls", "a = __magic__.capture('ls')"),
            ("  a.b['k'] = !ls -l", "  a.b['k'] = __magic__.capture('ls -l')"),
            ("a, b = !ls", "a, b = __magic__.capture('ls')"),
            ("t = %timeit -o f()", "t = __magic__.line('timeit', '-o f()')"),
        ):
            self.assertEqual(magic_syntax.translate(line), (call, {1}))

    def test_what_is_no_magic(self):
        for line in ('elif char in "=!<":', "x = y % z", "x != y", "x %= 3", "%", "!", "a b = !ls", "% time"):
            self.assertEqual(magic_syntax.translate(line), (line, set()))

    def test_a_cell_magic_begins_its_cell(self):
        magic = magic_syntax.cell_magic("\n\n%%time  now \nx\n")
        self.assertEqual(magic, ("time", "now", "x\n", 3))
        self.assertEqual(magic.body_in_place(), "\n\n\nx\n")
        self.assertEqual(magic_syntax.cell_magic("%%bash"), ("bash", "", "", 0))
        self.assertIsNone(magic_syntax.cell_magic("x\n%%time"))
