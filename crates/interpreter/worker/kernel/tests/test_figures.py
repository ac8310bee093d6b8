"""Figures and pictures."""

import base64
import struct

from .kernel import KernelTest, code, needs

PLOT = "import matplotlib.pyplot as plt\n"


def png_size(bundle):
    """Width and height of a bundle's PNG."""
    data = base64.b64decode(bundle["image/png"], validate=True)
    assert data[:8] == b"\x89PNG\r\n\x1a\n", data[:8]
    return struct.unpack(">II", data[16:24])


@needs("matplotlib")
class Figures(KernelTest):
    modules = ("matplotlib.pyplot",)

    def figures(self, *cells):
        return [display["data"] for display in self.run_cells(*cells).displays]

    def titles(self, outcome):
        """What the test's figures are told apart by: their number of axes."""
        return [display["data"]["text/plain"] for display in outcome.displays]

    def test_an_open_figure_is_shown_at_the_cells_end(self):
        outcome = self.run_cells(PLOT + "plt.plot([1, 2]);")
        self.assertEqual([display["source"] for display in outcome.displays], ["figure"])
        data = outcome.displays[0]["data"]
        self.assertEqual(sorted(data), ["image/png", "text/plain"])
        self.assertEqual(data["text/plain"], "<Figure size 640x480 with 1 Axes>")
        width, height = png_size(data)
        self.assertTrue(400 < width < 700 and 300 < height < 500, (width, height))

    def test_figures_come_once_in_the_order_of_their_creation(self):
        sizes = PLOT + "for n in (3, 5, 4):\n    plt.figure(figsize=(n, n)); plt.plot([1])\nplt.figure(1);"
        texts = [data["text/plain"] for data in self.figures(sizes)]
        self.assertEqual(texts, ["<Figure size %d00x%d00 with 1 Axes>" % (n, n) for n in (3, 5, 4)])
        self.assertEqual(self.figures("x = 1"), [])

    def test_show_shows_at_once_and_closes(self):
        outcome = self.run_cells(
            PLOT
            + "plt.plot([1])\nprint('a')\nplt.show()\nprint('b')\nplt.plot([2])\nplt.show()\nplt.get_fignums()"
        )
        self.assertEqual(outcome.printed_before, [2, 4])
        self.assertEqual((outcome.text, outcome.stderr), ("[]", ""))

    def test_a_closed_figure_is_not_shown(self):
        self.assertEqual(self.figures(PLOT + "plt.plot([1])\nplt.close()"), [])

    def test_an_empty_figure_is_not_shown(self):
        self.assertEqual(self.figures(PLOT + "plt.figure()\nplt.show()\nplt.savefig('blank.png')"), [])

    def test_a_figure_as_value_is_shown_once(self):
        outcome = self.run_cells(PLOT + "fig, ax = plt.subplots()\nax.plot([1])\nfig")
        self.assertEqual((outcome.displays, sorted(outcome.value)), ([], ["image/png", "text/plain"]))
        self.assertIn("image/png", self.run_cells("fig").value)

    def test_a_displayed_figure_is_shown_once(self):
        self.assertEqual(len(self.figures(PLOT + "fig, ax = plt.subplots()\nax.plot([1])\ndisplay(fig)")), 1)

    def test_a_saved_figure_is_a_file_and_shown_once(self):
        self.assertEqual(
            len(
                self.figures(
                    PLOT + "plt.plot([1])\nplt.savefig('a.png'); plt.savefig('a.svg'); plt.savefig('a.pdf')"
                )
            ),
            1,
        )
        begins = {name: (self.kernel.workspace / name).read_bytes()[:5] for name in ("a.png", "a.svg", "a.pdf")}
        self.assertEqual(begins, {"a.png": b"\x89PNG\r", "a.svg": b"<?xml", "a.pdf": b"%PDF-"})

    def test_figures_of_a_failing_cell_are_shown(self):
        self.assertEqual(len(self.fail_cell(PLOT + "plt.plot([1])\n1 / 0").displays), 1)

    def test_figures_of_an_interrupted_cell_are_dropped(self):
        outcome = self.kernel.run(PLOT + "plt.plot([1])\ndisplay('go')\nwhile True: pass", self.kernel.interrupt)
        self.assertEqual((outcome.status, len(outcome.displays)), ("interrupted", 1))
        self.assert_value("[]", "plt.get_fignums()")

    def test_a_figure_that_cannot_be_drawn_is_an_error(self):
        self.assertIn("frac", self.fail_cell(PLOT + "plt.plot([1]); plt.title(r'$\\frac{x$')").error["message"])
        self.assert_value("[]", "plt.get_fignums()")

    def test_a_figure_that_cannot_be_drawn_does_not_hide_the_others(self):
        outcome = self.fail_cell(PLOT + "plt.plot([1]); plt.title(r'$\\frac{x$')\nplt.figure(); plt.plot([2]);")
        self.assertEqual(len(outcome.displays), 1)

    def test_at_most_eight_images_are_shown(self):
        outcome = self.run_cells(PLOT + "for n in range(10):\n    plt.figure(figsize=(1, 1)); plt.plot([n])")
        self.assertEqual(len(outcome.displays), 8)
        self.assertIn("2 more displays were left out", outcome.notes[0])

    def test_a_large_figure_is_shown_at_a_lower_resolution(self):
        (data,) = self.figures(PLOT + "plt.figure(figsize=(50, 20), dpi=300); plt.plot([1]);")
        width, height = png_size(data)
        self.assertLess(width * height, 4_000_001)
        self.assertGreater(width * height, 2_000_000)

    def test_a_figure_without_measure_is_an_error(self):
        self.assertEqual(
            self.fail_cell(PLOT + "plt.figure(figsize=(9000, 9000)); plt.plot([1]);").error["name"],
            "FigureTooLarge",
        )
        self.assertEqual(
            self.fail_cell("plt.figure(figsize=(1, 90000)); plt.plot([1]);").error["name"], "FigureTooLarge"
        )

    def test_labels_outside_the_frame_are_shown(self):
        plain, wide = (
            png_size(self.figures(PLOT + "plt.plot([1]); plt.ylabel('y%s');" % line)[0])
            for line in ("", "\\n" * 6)
        )
        self.assertGreater(wide[0], plain[0])

    def test_the_users_own_backend_changes_nothing(self):
        self.assertEqual(
            len(
                self.figures(
                    "import matplotlib\nmatplotlib.use('Agg')\n"
                    + PLOT
                    + "plt.plot([1]); plt.show()\nplt.plot([2]);"
                )
            ),
            2,
        )

    def test_a_child_process_has_no_figures_to_show(self):
        outcome = self.run_cells(
            PLOT + "import os\npid = os.fork()\nif not pid: plt.plot([1])\nelse: os.waitpid(pid, 0)"
        )
        self.assertEqual(outcome.displays, [])


@needs("matplotlib")
class ChineseText(KernelTest):
    """Missing glyphs are warnings on standard error."""

    modules = ("matplotlib.pyplot",)

    def setUp(self):
        if self.kernel.warm["cjk_font"] is None:
            self.skipTest("needs a font with Chinese characters, which this machine lacks")

    def assert_drawn(self, cell):
        outcome = self.run_cells(PLOT + cell)
        self.assertEqual((outcome.stderr, len(outcome.displays)), ("", 1))

    def test_every_text_of_a_plot(self):
        self.assert_drawn(
            code("""
                plt.plot([-1, 1], label='温度')
                plt.title('标题', fontweight='bold'); plt.xlabel('时间'); plt.legend(); plt.text(0, 0, '中 abc −1');
            """)
        )

    def test_text_with_a_formula(self):
        self.assert_drawn("plt.plot([1]); plt.title(r'面积 $\\pi r^2$ 公式');")

    def test_styles_and_chosen_fonts(self):
        self.assert_drawn(
            "plt.style.use('ggplot')\nplt.rcParams['font.family'] = 'serif'\nplt.plot([1]); plt.title('中文');"
        )

    def test_well_known_fonts_that_are_not_here(self):
        for name in ("SimHei", "Microsoft YaHei", "PingFang SC", "KaiTi"):
            self.assert_drawn(
                code("""
                    plt.rcParams['font.sans-serif'] = ['%s']
                    plt.rcParams['font.family'] = '%s'
                    plt.plot([-1, 1]); plt.title('中文 Latin é', weight='bold');
                """)
                % (name, name)
            )

    def test_vector_files(self):
        self.assert_drawn("plt.plot([-1]); plt.title('中文')\nplt.savefig('a.svg'); plt.savefig('a.pdf');")

    @needs("seaborn")
    def test_seaborn_themes(self):
        self.assert_drawn(
            "import seaborn as sns\nsns.set_theme(style='whitegrid')\nplt.plot([-1, 1]); plt.title('中文');"
        )

    def test_minus_signs_survive_styles(self):
        self.assert_value(
            "(False, False)",
            PLOT
            + code("""
                a = plt.rcParams['axes.unicode_minus']
                plt.style.use('default')
                a, plt.rcParams['axes.unicode_minus']
            """),
        )


@needs("PIL")
class Pictures(KernelTest):
    def picture(self, cell):
        value = self.run_cells("from PIL import Image\n" + cell).value
        self.assertEqual(sorted(value), ["image/png", "text/plain"])
        return png_size(value)

    def test_a_picture_is_shown_as_it_is(self):
        self.assertEqual(self.picture("Image.new('RGB', (30, 20), 'red')"), (30, 20))

    def test_pictures_of_all_modes(self):
        for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I", "I;16", "F"):
            self.assertEqual(self.picture("Image.new('%s', (30, 20))" % mode), (30, 20), mode)

    def test_a_large_picture_is_scaled_down(self):
        for mode in ("1", "P", "RGB", "F"):
            width, height = self.picture("Image.new('%s', (4000, 2000))" % mode)
            self.assertLess(width * height, 4_000_001)
            self.assertAlmostEqual(width / height, 2, places=2)

    def test_noise_is_sent_within_the_limit(self):
        self.options = {"limits": {"image_bytes": 20_000}}
        value = self.run_cells(
            "import os\nfrom PIL import Image\nImage.frombytes('RGB', (500, 500), os.urandom(750_000))"
        ).value
        image = next(data for mime, data in value.items() if mime.startswith("image/"))
        self.assertLess(len(base64.b64decode(image)), 20_001)

    def test_show_displays(self):
        outcome = self.run_cells("from PIL import Image\nImage.new('L', (3, 2)).show()")
        self.assertEqual(png_size(outcome.displays[0]["data"]), (3, 2))

    def test_data_that_is_no_image_is_noted(self):
        outcome = self.run_cells(
            code("""
                import PIL.Image
                class P:
                    def _repr_png_(self): return b'none'
                    __repr__ = lambda self: 'p'
                P()
            """)
        )
        self.assertEqual(outcome.value, {"text/plain": "p"})
        self.assertIn("image/png of a value cannot be sent", outcome.notes[0])
