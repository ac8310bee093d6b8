"""Libraries that expect a notebook, a terminal or a browser."""

import json

from .kernel import KernelTest, needs


@needs("pandas")
class Pandas(KernelTest):
    def test_a_frame_is_text_and_html(self):
        value = self.run_cells("import pandas as pd\npd.DataFrame({'城市': ['北京'], 'n': [1]})").value
        self.assertEqual(value["text/plain"], "   城市  n\n0  北京  1")
        self.assertIn("<table", value["text/html"])

    def test_a_long_frame_is_shortened(self):
        value = self.run_cells("import pandas as pd\npd.DataFrame({'a': range(100_000)})").value
        self.assertIn("[100000 rows x 1 columns]", value["text/plain"])
        self.assertLess(len(value["text/html"]), 10_000)

    def test_lines_may_be_120_wide(self):
        text = self.run_cells("import pandas as pd\npd.DataFrame({'column%02d' % n: [n] for n in range(11)})").text
        self.assertEqual(len(text.splitlines()), 2)

    def test_options_of_the_cells_own_stay(self):
        self.assert_value(
            "40", "import pandas as pd\npd.set_option('display.width', 40)", "pd.get_option('display.width')"
        )


@needs("sympy")
class Sympy(KernelTest):
    def test_an_expression_is_text_and_latex(self):
        value = self.run_cells("from sympy import *\nx = symbols('x')\nintegrate(x**2, x)").value
        self.assertEqual(value["text/plain"], "x**3/3")
        self.assertIn(r"\frac{x^{3}}{3}", value["text/latex"])


@needs("plotly")
class Plotly(KernelTest):
    MIME = "application/vnd.plotly.v1+json"

    def test_a_figure_is_json(self):
        value = self.run_cells("import plotly.graph_objects as go\ngo.Figure(go.Bar(y=[1, 2]))").value
        self.assertEqual(json.loads(value[self.MIME])["data"][0]["type"], "bar")

    def test_show_displays_it(self):
        outcome = self.run_cells("import plotly.graph_objects as go\ngo.Figure(go.Bar(y=[1, 2])).show()")
        self.assertIn(self.MIME, outcome.displays[0]["data"])


@needs("matplotlib", "PIL")
class Imitations(KernelTest):
    def test_what_only_claims_to_be_a_figure_is_plain(self):
        for base in ("matplotlib.figure import Figure", "PIL.Image import Image as Figure"):
            outcome = self.run_cells("from unittest.mock import Mock\nfrom %s\nMock(spec=Figure)" % base)
            self.assertEqual(list(outcome.value), ["text/plain"])


@needs("numpy")
class Numpy(KernelTest):
    modules = ("numpy",)

    def test_sessions_of_one_parent_have_different_random_numbers(self):
        cell = "import numpy as np\nnp.random.rand()"
        first = self.run_cells(cell).text
        del self._kernel
        self.assertNotEqual(first, self.run_cells(cell).text)

    def test_a_shape_is_told_in_the_description(self):
        self.run_cells("a = np = __import__('numpy').zeros((2, 3))")
        self.assertIn(
            {"name": "a", "type": "ndarray", "summary": "shape (2, 3)"}, self.kernel.describe()["variables"]
        )
