"""Errors and their tracebacks."""

import sys
import unittest

from .kernel import KernelTest, code


class Tracebacks(KernelTest):
    def test_a_traceback_has_the_lines_of_the_cells_only(self):
        error = self.fail_cell("import json\ndef read(text):\n    return json.loads(text)", "read('{')").error
        self.assertEqual(error["name"], "JSONDecodeError")
        lines = [line for line in error["traceback"].splitlines() if "^" not in line]
        self.assertEqual(
            lines,
            [
                "Traceback (most recent call last):",
                '  File "<cell 2>", line 1, in <module>',
                "    read('{')",
                '  File "<cell 1>", line 3, in read',
                "    return json.loads(text)",
                "json.decoder.JSONDecodeError: " + error["message"],
            ],
        )

    def test_names_stay_after_an_error(self):
        self.fail_cell("x = 1\n1 / 0\nx = 2")
        self.assert_value("1", "x")

    def test_a_syntax_error_shows_its_place(self):
        traceback = self.fail_cell("x = 1\ny = x +* 2").traceback
        self.assertIn('  File "<cell 1>", line 2\n    y = x +* 2\n', traceback)
        self.assertIn("^\nSyntaxError: invalid syntax", traceback)
        self.assertNotIn("Traceback", traceback)

    def test_nothing_of_a_cell_with_a_syntax_error_runs(self):
        self.assertEqual(self.fail_cell("print('ran')\n)").stdout, "")

    def test_code_that_cannot_be_read_at_all_is_an_error(self):
        for cell in ("x = '\0'", "x = '\ud800'", "(" * 10_000):
            self.assertIn(
                self.fail_cell(cell).error["name"],
                ("SyntaxError", "ValueError", "UnicodeEncodeError", "MemoryError"),
            )

    def test_causes_are_shown(self):
        traceback = self.fail_cell(
            "try:\n    {}['k']\nexcept KeyError as e:\n    raise ValueError('v') from e"
        ).traceback
        self.assertIn("KeyError: 'k'\n\nThe above exception was the direct cause of", traceback)

    def test_contexts_are_shown_and_suppressed(self):
        cell = "try:\n    {}['k']\nexcept KeyError:\n    raise ValueError('v')"
        self.assertIn("During handling of the above exception", self.fail_cell(cell).traceback)
        self.assertNotIn("KeyError", self.fail_cell(cell + " from None").traceback)

    def test_what_libraries_chain_among_themselves_is_left_out(self):
        traceback = self.fail_cell("import uuid, pathlib\npathlib.Path('no').read_text()").traceback
        self.assertEqual(traceback.count("Error"), 1)
        traceback = self.fail_cell("import asyncio\nawait asyncio.wait_for(asyncio.sleep(9), 0.01)").traceback
        self.assertNotIn("CancelledError", traceback)

    @unittest.skipIf(sys.version_info < (3, 11), "notes and groups came with Python 3.11")
    def test_notes_and_groups_are_shown(self):
        traceback = self.fail_cell(
            "e = ValueError('v'); e.add_note('see also'); raise ExceptionGroup('two', [e, KeyError('k')])"
        ).traceback
        for part in (
            "ExceptionGroup: two (2 sub-exceptions)",
            "ValueError: v",
            "see also",
            "KeyError: 'k'",
            '"<cell 1>", line 1',
        ):
            self.assertIn(part, traceback)

    def test_deep_recursion_is_an_error(self):
        traceback = self.fail_cell("def f(n): return f(n + 1)\nf(0)").traceback
        self.assertIn("Previous line repeated", traceback)
        self.assertIn("RecursionError", traceback)

    def test_a_failing_str_of_an_exception_is_told(self):
        error = self.fail_cell("class E(Exception):\n    def __str__(self): 1 / 0\nraise E").error
        self.assertEqual((error["name"], error["message"]), ("E", "<its __str__ raised ZeroDivisionError>"))

    def test_a_base_exception_is_an_error(self):
        self.assertEqual(self.fail_cell("class Stop(BaseException): pass\nraise Stop('x')").error["name"], "Stop")
        self.assert_value("2", "1 + 1")

    def test_frames_of_files_in_the_workspace_are_kept(self):
        (self.kernel.workspace / "part.py").write_text("def fail():\n    raise OSError('of the file')\n")
        traceback = self.fail_cell("import part\npart.fail()").traceback
        self.assertIn("part.py\", line 2, in fail\n    raise OSError('of the file')", traceback)

    def test_lines_are_found_after_the_line_cache_was_cleared(self):
        self.assertIn(
            "f()", self.fail_cell("import linecache\ndef f(): 1 / 0", "linecache.clearcache()\nf()").traceback
        )

    def test_inspect_finds_the_source_of_a_function(self):
        self.assert_value("'def f(): return 1\\n'", "def f(): return 1\nimport inspect", "inspect.getsource(f)")

    def test_warnings_show_the_line_once_a_cell(self):
        cell = "import warnings\nfor n in range(3): warnings.warn('look')"
        for number in (1, 2):
            stderr = self.run_cells(cell).stderr
            self.assertEqual(stderr.count("look"), 2, stderr)
            self.assertIn("<cell %d>:2: UserWarning: look" % number, stderr)


class MissingPackages(KernelTest):
    def test_a_missing_package_is_named_with_what_there_is(self):
        error = self.fail_cell("import no_such_package.part").error
        self.assertIn("No module named 'no_such_package'", error["message"])
        self.assertIn("The package no_such_package is not installed", error["hint"])
        self.assertIn("Importable: ", error["hint"])

    @unittest.skipIf(sys.version_info < (3, 10), "Python lists the names of its library since 3.10")
    def test_a_name_nearly_right_is_found(self):
        self.assertIn("Similar: json", self.fail_cell("import jason").error["hint"])

    def test_a_missing_part_of_a_package_is_told_as_such(self):
        self.assertIn(
            "email is installed, but has no module email.no", self.fail_cell("import email.no").error["hint"]
        )

    def test_other_errors_have_no_hint(self):
        self.assertIsNone(self.fail_cell("1 / 0").error["hint"])


class Refusals(KernelTest):
    def test_input_is_refused_with_a_hint(self):
        error = self.fail_cell("name = input('Name? ')").error
        self.assertEqual(error["name"], "InputUnavailable")
        self.assertIn("assign the value in the code", error["message"])

    def test_code_that_expects_no_input_goes_on(self):
        self.assert_value("'default'", "try:\n    name = input()\nexcept EOFError:\n    name = 'default'\nname")

    def test_standard_input_is_empty(self):
        self.assert_value("''", "import sys\nsys.stdin.read()")

    def test_a_debugger_is_refused(self):
        for cell in ("breakpoint()", "import pdb; pdb.set_trace()"):
            self.assertIn("no debugger", self.fail_cell(cell).error["message"])


class Endings(KernelTest):
    def test_exit_ends_the_cell_and_not_the_session(self):
        for cell, exit_code in (
            ("exit()", 0),
            ("quit(3)", 3),
            ("import sys; sys.exit(True)", 1),
            ("raise SystemExit", 0),
            ("import sys; sys.exit(-1)", 255),
            ("import sys; sys.exit(2**70 + 7)", 7),
        ):
            outcome = self.kernel.run("x = 5\n%s\nx = 6" % cell)
            self.assertEqual((outcome.status, outcome.exit_code, outcome.value), ("exited", exit_code, None), cell)
            self.assert_value("5", "x")

    def test_an_exit_message_is_printed(self):
        outcome = self.kernel.run("import sys; sys.exit('no data')")
        self.assertEqual((outcome.status, outcome.exit_code, outcome.stderr), ("exited", 1, "no data\n"))


class NoNetwork(KernelTest):
    FAIL = code("""
        import errno, socket, urllib.error
        try:
            raise %s
        except OSError as e:
            raise RuntimeError('no page')
    """)
    FAILURES = (
        "socket.gaierror(-3, 'no name')",
        "OSError(errno.ENETUNREACH, 'unreachable')",
        "urllib.error.URLError(socket.gaierror(-3, 'no name'))",
    )

    def test_it_is_said_beside_errors_of_connections(self):
        for failure in self.FAILURES:
            self.assertIn("no network here", self.fail_cell(self.FAIL % failure).error["hint"] or "", failure)

    def test_it_is_not_said_where_there_is_one(self):
        self.options = {"network": True}
        for failure in self.FAILURES:
            self.assertIsNone(self.fail_cell(self.FAIL % failure).error["hint"])

    def test_other_errors_of_files_are_not_meant(self):
        self.assertIsNone(self.fail_cell("open('no such file')").error["hint"])
