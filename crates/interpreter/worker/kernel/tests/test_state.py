"""The interpreter's own state: what a session begins with, and what it puts back before each cell."""

from .kernel import KernelTest, code


class MainModule(KernelTest):
    def test_cells_run_in_the_main_module(self):
        self.assert_value("('__main__', True)", "x = 1\nimport sys\n__name__, sys.modules['__main__'].x == 1")

    def test_the_main_module_has_no_file(self):
        self.assert_value("(False, None)", "'__file__' in globals(), __spec__")

    def test_nothing_of_the_session_is_among_the_names(self):
        self.assert_value("[]", "[name for name in dir() if not name.startswith('__')]")

    def test_objects_of_a_cells_classes_can_be_pickled(self):
        self.assert_value(
            "P(x=1)",
            "import dataclasses, pickle\n@dataclasses.dataclass\nclass P:\n    x: int",
            "pickle.loads(pickle.dumps(P(1)))",
        )

    def test_a_module_in_the_workspace_can_be_imported(self):
        (self.kernel.workspace / "mine.py").write_text("answer = 42")
        self.assert_value("42", "import mine\nmine.answer")

    def test_there_are_no_arguments(self):
        self.assert_value("['']", "import sys\nsys.argv")

    def test_the_working_folder_is_the_workspace(self):
        self.assert_value(repr(str(self.kernel.workspace)), "import os\nos.getcwd()")


class Randomness(KernelTest):
    def test_sessions_of_one_parent_have_different_random_numbers(self):
        cell = "import random\nrandom.random()"
        self.modules = ()
        first = self.run_cells(cell).text
        del self._kernel
        self.assertNotEqual(first, self.run_cells(cell).text)


class Tampering(KernelTest):
    """Each cell bends something; the next one must work."""

    def assert_recovers(self, cell):
        self.kernel.run(cell)
        outcome = self.run_cells("print('out')\n[1, 'a', None]")
        self.assertEqual((outcome.stdout, outcome.text), ("out\n", "[1, 'a', None]"), cell)

    def test_streams_closed_or_replaced(self):
        for cell in (
            "import sys; sys.stdout.close()",
            "import sys; sys.stderr.close(); sys.stdin.close()",
            "import sys, io; sys.stdout = io.StringIO()",
            "import sys; sys.stdout = sys.stderr = None",
            "import sys; del sys.stdout",
        ):
            self.assert_recovers(cell)

    def test_builtins_replaced_or_deleted(self):
        for cell in (
            "import builtins; builtins.print = builtins.repr = builtins.len = None",
            "import builtins; del builtins.isinstance, builtins.exec, builtins.dict",
            "import builtins; vars(builtins).clear()",
        ):
            self.assert_recovers(cell)

    def test_main_module_emptied(self):
        for cell in (
            "globals().clear()",
            "del __builtins__, __name__",
            "__builtins__ = {}",
            "import sys; sys.modules.clear()",
            "import sys; del sys.modules['__main__']",
        ):
            self.assert_recovers(cell)

    def test_functions_of_modules_replaced(self):
        self.assert_recovers(
            code("""
                import json, ast, traceback, base64, os
                json.dumps = ast.parse = base64.b64encode = os.getpid = None
                traceback.TracebackException = None
            """)
        )

    def test_trace_and_recursion_limit(self):
        for cell in (
            "import sys\ndef t(*a): raise RuntimeError('traced')\nsys.settrace(t); sys.setprofile(t)",
            "import sys; sys.setrecursionlimit(30)",
        ):
            self.assert_recovers(cell)

    def test_an_alarm_ends_with_its_cell(self):
        self.run_cells("import signal\nsignal.signal(signal.SIGALRM, lambda *_: 1 / 0)\nsignal.alarm(1000);")
        self.assert_value("(0.0, 0.0)", "signal.getitimer(signal.ITIMER_REAL)")

    def test_display_hooks_and_input_replaced(self):
        self.assert_recovers(
            "import builtins, sys\nbuiltins.input = builtins.display = None\nsys.breakpointhook = None"
        )
        self.assertEqual(len(self.run_cells("display(1)").displays), 1)
        self.assertEqual(self.fail_cell("input()").error["name"], "InputUnavailable")


class Copies(KernelTest):
    def test_a_session_goes_on_in_a_copy_of_its_process(self):
        self.run_cells(
            "import asyncio\nx = 1\nt = asyncio.create_task(asyncio.sleep(0, 5))\nawait asyncio.sleep(0)"
        )
        self.kernel.go_on_in_a_copy()
        outcome = self.run_cells("display(2)\nprint('out')\nx, await t")
        self.assertEqual((outcome.text, outcome.stdout, len(outcome.displays)), ("(1, 5)", "out\n", 1))
        self.assertEqual(
            self.kernel.run("display(1)\nwhile True: pass", self.kernel.interrupt).status, "interrupted"
        )
        self.assert_value(
            "'out'",
            "import subprocess\nsubprocess.run(['echo', 'out'], capture_output=True, text=True).stdout.strip()",
        )


class Description(KernelTest):
    def test_variables_are_told_without_running_their_code(self):
        self.run_cells(
            code("""
                x = [1, 2]
                y = 'text'
                _z = 1
                class Loud:
                    def __repr__(self): print('ran')
                    def __len__(self): print('ran')
                loud = Loud()
            """)
        )
        description = self.kernel.describe()
        variables = {
            variable["name"]: (variable["type"], variable["summary"]) for variable in description["variables"]
        }
        self.assertEqual(
            variables,
            {"Loud": ("type", ""), "loud": ("Loud", ""), "x": ("list", "2 items"), "y": ("str", "'text'")},
        )
        self.assertEqual(self.run_cells("").stdout, "")


class WarmUp(KernelTest):
    modules = ("json", "no_such_module", "no_such_package.part")

    def test_absent_modules_are_told(self):
        warm = self.kernel.warm
        self.assertEqual([module["name"] for module in warm["imported"]], ["json"])
        self.assertEqual(warm["missing"], ["no_such_module", "no_such_package.part"])
        self.assertEqual(warm["failed"], [])

    def test_a_session_works_after_it(self):
        self.assert_value("2", "1 + 1")
