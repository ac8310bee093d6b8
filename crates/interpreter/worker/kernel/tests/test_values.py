"""The value of a cell's last expression."""

from .kernel import KernelTest, code


class Values(KernelTest):
    def test_the_last_expression_is_the_value(self):
        self.assert_value("42", "x = 41\nx + 1")

    def test_a_cell_without_a_last_expression_has_no_value(self):
        self.assertIsNone(self.run_cells("x = 41\nif x:\n    x + 1").value)

    def test_none_is_not_shown(self):
        self.assertIsNone(self.run_cells("1\nNone").value)

    def test_only_the_last_expression_is_shown(self):
        outcome = self.run_cells("'first'\n'last'")
        self.assertEqual((outcome.text, outcome.stdout), ("'last'", ""))

    def test_a_semicolon_mutes(self):
        for cell in ("1 + 1;", "1 + 1 ; # said", "(1 +\n 1);\n\n", "'é' ;"):
            self.assertIsNone(self.run_cells(cell).value, cell)

    def test_a_semicolon_elsewhere_does_not_mute(self):
        for cell, text in (("1; 2", "2"), ("2 # ;", "2"), ("';'", "';'"), ("f'{2};'", "'2;'")):
            self.assert_value(text, cell)

    def test_names_stay_from_cell_to_cell(self):
        self.assert_value("[1, 2]", "import math as m\ndef f(x): return [1, x]", "f(m.floor(2.5))")

    def test_a_lone_string_is_a_value(self):
        self.assert_value("'text'", "'text'")

    def test_windows_line_ends_are_line_ends(self):
        self.assert_value("3", "x = 1\r\nif x:\r\n    x = 3\r\nx")

    def test_empty_cells_do_nothing(self):
        for cell in ("", "\n\n", "# only a comment", "  "):
            self.assertIsNone(self.run_cells(cell).value)

    def test_underscore_is_the_last_value_shown(self):
        self.assert_value("(3, 2)", "1", "2", "3", "_, __")

    def test_a_number_after_the_underscore_is_a_cells_value(self):
        self.assert_value("(10, 30)", "10", "x = 20", "30", "_1, _3")

    def test_a_muted_value_is_not_remembered(self):
        self.assert_value("1", "1", "2;", "_")

    def test_an_underscore_of_the_cells_own_is_left_alone(self):
        self.assert_value("'mine'", "_, x = 'mine', 2", "3", "_")

    def test_future_features_hold_for_later_cells(self):
        self.assert_value(
            "'Undefined'",
            "from __future__ import annotations",
            "def f(a: Undefined): pass\nf.__annotations__['a']",
        )


class Representations(KernelTest):
    def test_a_failing_repr_is_told_and_not_raised(self):
        text = self.run_cells("class Bad:\n    def __repr__(self): raise ValueError('no')\nBad()").text
        self.assertEqual(text, "<Bad: its repr raised ValueError: no>")

    def test_a_repr_that_is_no_text_is_told(self):
        self.assertIn(
            "its repr raised TypeError", self.run_cells("class Bad:\n    __repr__ = lambda self: 7\nBad()").text
        )

    def test_lone_surrogates_leave_as_escapes(self):
        self.assert_value("\\udc80", "class S:\n    def __repr__(self): return '\\udc80'\nS()")

    def test_html_and_other_types_come_along(self):
        cell = code("""
            class Rich:
                def _repr_html_(self): return '<b>é</b>'
                def _repr_json_(self): return {'a': [1, None]}
            Rich()
        """)
        value = self.run_cells(cell).value
        self.assertEqual(value["text/html"], "<b>é</b>")
        self.assertEqual(value["application/json"], '{"a": [1, null]}')
        self.assertIn("Rich object", value["text/plain"])

    def test_a_mime_bundle_goes_before_single_types(self):
        cell = """class Rich:
    def _repr_mimebundle_(self, include=None, exclude=None): return {'text/html': 'bundle', 'text/plain': 'plain'}, {}
    def _repr_html_(self): return 'single'
    def _repr_latex_(self): return '$x$'
Rich()"""
        value = self.run_cells(cell).value
        self.assertEqual(value, {"text/html": "bundle", "text/plain": "plain", "text/latex": "$x$"})

    def test_a_failing_rich_type_is_noted(self):
        outcome = self.run_cells(
            "class Rich:\n    def _repr_html_(self): 1 / 0\n    __repr__ = lambda self: 'rich'\nRich()"
        )
        self.assertEqual(outcome.value, {"text/plain": "rich"})
        self.assertEqual(outcome.notes, ["Rich._repr_html_ raised ZeroDivisionError: division by zero"])

    def test_what_json_cannot_say_is_noted(self):
        outcome = self.run_cells("class J:\n    def _repr_json_(self): return float('nan')\nJ()")
        self.assertEqual(list(outcome.value), ["text/plain"])
        self.assertEqual(len(outcome.notes), 1)

    def test_a_class_is_not_asked_for_what_its_objects_offer(self):
        outcome = self.run_cells("class Rich:\n    def _repr_html_(self): return 'x'\nRich")
        self.assertEqual(outcome.value, {"text/plain": "<class '__main__.Rich'>"})

    def test_objects_with_any_attribute_are_plain(self):
        self.assertEqual(list(self.run_cells("from unittest.mock import Mock\nMock()").value), ["text/plain"])
