"""The regression corpus: every cell gives what plain `python3` gives."""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from .kernel import Kernel, missing

FOLDER = Path(__file__).resolve().parents[3] / "tests" / "cells"


class Group:
    """A file of the corpus: its title-and-code pairs, and the packages that it needs."""

    def __init__(self, path):
        text = path.read_text("utf-8")
        first, *cells = re.split(r"^# %% ", text, flags=re.MULTILINE)
        needed = re.match(r"# needs: (.*)", first)
        self.packages = needed[1].split() if needed else []
        self.cells = [tuple(cell.split("\n", 1)) for cell in cells]


def plain_results(cells):
    """What plain Python prints, shows and raises, for each cell."""
    with tempfile.TemporaryDirectory() as folder:
        request, output = Path(folder) / "cells.json", Path(folder) / "stdout"
        request.write_text(json.dumps(cells))
        workspace = Path(folder) / "workspace"
        workspace.mkdir()
        read, write = os.pipe()
        runner = str(Path(__file__).with_name("plain.py"))
        with open(output, "wb") as stdout, os.fdopen(read) as replies:
            process = subprocess.Popen(
                [sys.executable, "-X", "utf8", runner, str(request), str(write)],
                cwd=workspace,
                env={"PATH": os.environ["PATH"], "PYTHONPATH": str(workspace), "OPENBLAS_NUM_THREADS": "1"},
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=subprocess.DEVNULL,
                pass_fds=(write,),
            )
            os.close(write)
            results = [json.loads(line) for line in replies]
            process.wait()
        data, begin = output.read_bytes(), 0
        for result in results:
            result["stdout"] = data[begin : result["printed"]].decode("utf-8")
            begin = result.pop("printed")
    return results


class Corpus(unittest.TestCase):
    maxDiff = None

    def test_there_are_more_than_200_cells(self):
        self.assertGreater(sum(len(Group(path).cells) for path in FOLDER.glob("*.py")), 200)

    def compare(self, group):
        with Kernel() as kernel:
            found = [kernel.run(code) for _, code in group.cells]
        expected = plain_results([code for _, code in group.cells])
        self.assertEqual(len(expected), len(found))
        for (title, code), outcome, plain in zip(group.cells, found, expected):
            with self.subTest(title):
                result = {
                    "text": outcome.text,
                    "error": outcome.error and outcome.error["name"],
                    "stdout": outcome.stdout,
                }
                self.assertEqual(result, plain, code)


def _add_tests():
    for path in sorted(FOLDER.glob("*.py")):
        group = Group(path)

        def test(self, group=group):
            if missing(group.packages):
                self.skipTest("needs %s, which this Python lacks" % ", ".join(missing(group.packages)))
            self.compare(group)

        setattr(Corpus, "test_%s" % path.stem.strip("_"), test)


_add_tests()
