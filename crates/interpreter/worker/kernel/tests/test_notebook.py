"""Code that imports from `IPython.display`, where IPython is not installed."""

import importlib.util
import unittest

from .kernel import KernelTest, code


@unittest.skipIf(importlib.util.find_spec("IPython"), "needs a Python without IPython")
class StandIn(KernelTest):
    def displayed(self, expression):
        outcome = self.run_cells("from IPython.display import *\ndisplay(%s)" % expression)
        return outcome.displays[0]["data"]

    def test_markup_is_displayed(self):
        for expression, mime, data in (
            ("HTML('<b>x</b>')", "text/html", "<b>x</b>"),
            ("Markdown('**x**')", "text/markdown", "**x**"),
            ("Latex('$x$')", "text/latex", "$x$"),
            ("Math('x^2')", "text/latex", "$\\displaystyle x^2$"),
            ("JSON({'a': 1})", "application/json", '{"a": 1}'),
            ("SVG('<svg/>')", "image/svg+xml", "<svg/>"),
        ):
            self.assertEqual(self.displayed(expression)[mime], data)

    def test_an_object_is_a_value(self):
        self.assertEqual(self.run_cells("from IPython.display import HTML\nHTML('x')").value["text/html"], "x")

    def test_files_are_read(self):
        (self.kernel.workspace / "a.html").write_text("<p>é</p>", "utf-8")
        (self.kernel.workspace / "a.jpg").write_bytes(b"\xff\xd8\xff...")
        self.assertEqual(self.displayed("HTML(filename='a.html')")["text/html"], "<p>é</p>")
        self.assertEqual(self.displayed("Image('a.jpg')")["image/jpeg"], "/9j/Li4u")

    def test_nothing_is_fetched(self):
        for expression in ("HTML(url='http://localhost')", "Image('https://localhost/a.png')"):
            self.assertIn(
                "nothing is fetched",
                self.fail_cell("from IPython.display import *\n" + expression).error["message"],
            )

    def test_there_is_no_shell(self):
        self.assert_value(
            "True",
            code("""
                from IPython import get_ipython
                from IPython.display import clear_output
                clear_output()
                get_ipython() is None
            """),
        )
