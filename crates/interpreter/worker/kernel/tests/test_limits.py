"""What is huge is cut, and what is hostile stays bounded."""

from .kernel import KernelTest


class Limits(KernelTest):
    options = {
        "limits": {
            "text_chars": 600,
            "traceback_chars": 900,
            "rich_bytes": 1000,
            "displays": 3,
            "display_bytes": 5000,
        }
    }

    def test_text_within_the_limit_is_whole(self):
        self.assert_value("'" + "x" * 500 + "'", "'x' * 500")

    def test_long_text_keeps_head_and_tail(self):
        text = self.run_cells("class Long:\n    def __repr__(self): return 'a' * 5000 + 'z' * 5000\nLong()").text
        self.assertLess(len(text), 700)
        self.assertTrue(text.startswith("aaaa") and text.endswith("zzzz"))
        self.assertIn("9400 characters omitted", text)

    def test_a_huge_string_is_shortened_before_it_is_shown(self):
        text = self.run_cells("'x' * 300_000_000").text
        self.assertLess(len(text), 700)
        self.assertIn("of 300000000 omitted", text)

    def test_a_huge_container_is_shortened_before_it_is_shown(self):
        for cell, begin in (
            ("list(range(10_000_000))", "[0, 1, 2, "),
            ("{n: str(n) for n in range(1_000_000)}", "{0: '0', 1: '1', "),
            ("tuple([n] for n in range(1_000_000))", "([0], [1], "),
            ("[['x' * 10**8] * 3] * 10**6", "[['xxx"),
        ):
            text = self.run_cells(cell).text
            self.assertTrue(text.startswith(begin), text)
            self.assertLess(len(text), 700, cell)
            self.assertRegex(text, r"… \d+ (more|of)", cell)

    def test_a_container_that_holds_itself_ends(self):
        self.assertIn("[...]", self.run_cells("a = [1]; a.append(a); a").text)
        self.assertLess(len(self.run_cells("b = ['x' * 1000]; b.append(b); b.append('y' * 1000); b").text), 700)

    def test_deep_nesting_is_shortened(self):
        self.assertRegex(self.run_cells("d = []\nfor _ in range(100_000): d = [d]\nd").text, r"^\[+…\]+$")

    def test_a_repr_without_end_is_told_and_not_raised(self):
        self.assertIn(
            "RecursionError",
            self.run_cells("class Deep:\n    def __repr__(self): return repr([self, self])\nDeep()").text,
        )

    def test_a_huge_rich_type_is_left_out(self):
        outcome = self.run_cells(
            "class R:\n    def _repr_html_(self): return 'h' * 1001\n    __repr__ = lambda self: 'r'\nR()"
        )
        self.assertEqual(outcome.value, {"text/plain": "r"})
        self.assertEqual(outcome.notes, ["the text/html of a value is too large and was left out"])

    def test_a_bundle_of_many_types_is_bounded(self):
        cell = "class R:\n    def _repr_mimebundle_(self): return {'x/%d' % n: object for n in range(10**6)}\nR()"
        self.assertLess(len(self.run_cells(cell).value), 20)
        outcome = self.run_cells("for n in range(50): display({'image/png': b'', 7: 'x'}, raw=True)")
        self.assertLess(len(outcome.notes), 25)

    def test_long_names_are_cut(self):
        error = self.fail_cell("raise type('E' * 10_000, (Exception,), {})").error
        self.assertLess(len(error["name"]), 300)
        self.run_cells("globals().update({'v' * 10_000: type('T' * 10_000, (), {})()})")
        (variable,) = self.kernel.describe()["variables"]
        self.assertLess(len(str(variable)), 500)

    def test_displays_are_counted(self):
        outcome = self.run_cells("for n in range(5): display(n)")
        self.assertEqual([display["data"]["text/plain"] for display in outcome.displays], ["0", "1", "2"])
        self.assertIn("2 more displays were left out", outcome.notes[0])

    def test_the_bytes_of_displays_are_counted(self):
        outcome = self.run_cells(
            "for n in range(3): display({'text/%d' % k: 'x' * 900 for k in range(3)}, raw=True)"
        )
        self.assertEqual(len(outcome.displays), 1)

    def test_a_long_traceback_keeps_its_last_lines(self):
        cell = "\n".join("def f%d(): f%d()" % (n, n + 1) for n in range(60)) + "\ndef f60(): 1 / 0\nf0()"
        traceback = self.fail_cell(cell).traceback
        self.assertLess(len(traceback), 900)
        self.assertIn("lines omitted", traceback)
        self.assertIn("in f60", traceback)
        self.assertTrue(traceback.endswith("ZeroDivisionError: division by zero"))

    def test_a_long_message_keeps_head_and_tail(self):
        error = self.fail_cell("raise ValueError('a' * 10_000 + 'z')").error
        self.assertLess(len(error["traceback"]), 1000)
        self.assertLess(len(error["message"]), 600)
        self.assertTrue(error["traceback"].endswith("z"))
        self.assertIn('File "<cell 1>", line 1', error["traceback"])

    def test_unknown_limits_are_ignored(self):
        self.options = {"limits": {"of_tomorrow": 1}, "of_tomorrow": True}
        self.assert_value("1", "1")
