"""Magics, commands, and where they are not what they look like."""

from .kernel import KernelTest, code


class Commands(KernelTest):
    def test_a_command_prints_to_the_cells_streams(self):
        outcome = self.run_cells("print('before')\n!echo out; echo err >&2\nprint('after')")
        self.assertEqual((outcome.stdout, outcome.stderr), ("before\nout\nafter\n", "err\n"))

    def test_a_command_may_have_quotes_that_python_would_not_take(self):
        self.assertEqual(self.run_cells("""!echo "it's" '"' \\#\nx = '!echo no'""").stdout, "it's \" #\n")

    def test_a_command_may_stand_in_a_block(self):
        self.assertEqual(self.run_cells("for n in range(2):\n    !echo {n}\n    print(n)").stdout, "0\n0\n1\n1\n")

    def test_a_command_takes_the_cells_variables(self):
        cell = code("""
            import math; name = 'x y'; d = {'k': [7]}
            !echo $name {name} {d['k']} {math.pi} {math.no} $NO_ONES {1,2}
        """)
        self.assertEqual(self.run_cells(cell).stdout, "x y x y [7] 3.141592653589793 {math.no} 1 2\n")

    def test_awk_keeps_its_braces(self):
        self.assertEqual(self.run_cells("!echo a b | awk '{print $2}'").stdout, "b\n")

    def test_a_command_goes_on_after_a_backslash(self):
        outcome = self.fail_cell("!echo one \\\n  two\n1 / 0")
        self.assertEqual(outcome.stdout, "one two\n")
        self.assertIn('"<cell 1>", line 3', outcome.traceback)

    def test_a_failing_command_tells_its_status(self):
        outcome = self.run_cells("!exit 3\n_exit_code")
        self.assertEqual((outcome.text, outcome.stderr), ("3", "[exit status 3]\n"))

    def test_the_output_of_a_command_can_be_assigned(self):
        self.assert_value("(['a', 'b'], 2)", "lines = !printf 'a\\nb\\n'\nlines, len(lines)")

    def test_a_command_has_no_input(self):
        self.assertEqual(self.run_cells("!cat").stdout, "")

    def test_a_bash_cell_runs_as_one_script(self):
        self.assertEqual(self.run_cells("%%bash\nfor n in 1 2; do\n  echo $n\ndone").stdout, "1\n2\n")

    def test_a_failing_bash_cell_is_an_error(self):
        self.assertIn("exit status 4", self.fail_cell("%%bash\nexit 4").error["message"])


class Syntax(KernelTest):
    def test_plain_python_is_never_touched(self):
        self.assert_value(
            "('%who', '\\n%who\\n!ls\\n', 1)", "x = 7\na = '%who'\nb = '''\n%who\n!ls\n'''\nc = (x\n%3)\na, b, c"
        )

    def test_strings_and_brackets_hide_magics_beside_true_ones(self):
        cell = (
            "s = '''\n!not a command\n%not a magic'''\nt = (10\n% 4)\nu = 10 \\\n% 3\n# !no\n!echo yes\n(s, t, u)"
        )
        outcome = self.run_cells(cell)
        self.assertEqual((outcome.stdout, outcome.text), ("yes\n", repr(("\n!not a command\n%not a magic", 2, 1))))

    def test_line_numbers_stay(self):
        self.assertIn('"<cell 1>", line 3, in <module>\n    1 / 0', self.fail_cell("!true\n%pwd\n1 / 0").traceback)

    def test_a_syntax_error_beside_a_magic_has_its_line(self):
        self.assertIn('"<cell 1>", line 2\n', self.fail_cell("!true\nx = = 1").traceback)

    def test_an_unknown_magic_says_what_there_is(self):
        for cell in ("%no_such x", "%%no_such\nx"):
            error = self.fail_cell(cell).error
            self.assertEqual(error["name"], "UsageError")
            self.assertIn("%time", error["message"])

    def test_magics_and_commands_are_no_names_of_the_cell(self):
        self.assert_value("[]", "%matplotlib inline\n[n for n in dir() if not n.startswith('__')]")


class Magics(KernelTest):
    def test_time_runs_in_the_session_and_returns_the_value(self):
        outcome = self.run_cells("%time x = 6\n%time x * 7")
        self.assertEqual(outcome.text, "42")
        self.assertEqual(outcome.stdout.count("Wall time: "), 2)

    def test_a_time_cell_is_a_cell(self):
        outcome = self.run_cells("%%time\ny = 1\ny + 1")
        self.assertEqual(outcome.text, "2")
        self.assertIn("Wall time: ", outcome.stdout)
        self.assertIn('"<cell 2>", line 3', self.fail_cell("%%time\n\n1 / 0").traceback)

    def test_a_time_cell_may_await(self):
        self.assert_value("1", "%%time\nimport asyncio\nawait asyncio.sleep(0, 1)")

    def test_timeit_measures(self):
        self.assertRegex(
            self.run_cells("d = [3]\n%timeit -n 10 -r 2 sum(d)").stdout,
            r"^[\d.]+ \w?s ± .* of 2 runs, 10 loops each\)\n$",
        )

    def test_a_timeit_cell_has_a_set_up_line(self):
        self.assertIn(
            "of 2 runs, 3 loops each",
            self.run_cells("%%timeit -n 3 -r 2 data = list(range(3))\ntotal = sum(data)\ntotal += 1").stdout,
        )

    def test_cd_and_pwd(self):
        (self.kernel.workspace / "sub").mkdir()
        self.assertEqual(self.run_cells("%cd sub\nimport os\nos.path.basename(os.getcwd())").text, "'sub'")

    def test_env(self):
        self.assert_value("('1', 'b c')", "%env A=1\n%env B b c\nimport os\nos.environ['A'], os.environ['B']")
        self.assert_value("'1'", "%env A")

    def test_who_and_reset(self):
        self.assertEqual(self.run_cells("b = 1; a = 2; _c = 3\n%who").stdout, "a\tb\n")
        self.assertRegex(self.run_cells("%whos").stdout, r"a +int +2\nb +int +1\n")
        self.assertEqual(self.run_cells("%reset -f\n%who").stdout, "no variables\n")
        self.assert_value("2", "display(1)\n2")

    def test_settings_of_notebooks_are_accepted(self):
        self.run_cells(
            code("""
                %matplotlib inline
                %config InlineBackend.figure_format = 'retina'
                %load_ext autoreload
                %autoreload 2
            """)
        )

    def test_a_written_file_can_be_run_and_imported(self):
        self.assertEqual(
            self.run_cells("%%writefile mine.py\n\nvalue = 5\nprint('ran')\n").stdout, "Wrote mine.py\n"
        )
        outcome = self.run_cells("%run mine.py\nimport mine\nvalue, mine.value")
        self.assertEqual((outcome.text, outcome.stdout), ("(5, 5)", "ran\nran\n"))
        self.assertEqual((self.kernel.workspace / "mine.py").read_text(), "\nvalue = 5\nprint('ran')\n")

    def test_markup_cells_are_displayed(self):
        for name, mime in (
            ("html", "text/html"),
            ("markdown", "text/markdown"),
            ("latex", "text/latex"),
            ("svg", "image/svg+xml"),
        ):
            outcome = self.run_cells("%%%%%s\n<b>x</b>" % name)
            self.assertEqual([display["data"] for display in outcome.displays], [{mime: "<b>x</b>"}])


class Installing(KernelTest):
    def test_every_form_is_answered_without_a_network(self):
        forms = (
            "%pip install no-such",
            "!pip install no-such",
            "!pip3 install -q no-such==1.0",
            "!python -m pip install --user no-such",
            "%conda install -y no-such",
            "pip install no-such",
            "uv pip install no-such",
            "!uv pip install no-such",
        )
        for cell in forms:
            outcome = self.run_cells("x = 1\n" + cell)
            self.assertRegex(
                outcome.stdout, r"^Packages cannot be installed here: no no-such\. .*Importable: ", cell
            )

    def test_the_rest_of_the_cell_runs(self):
        self.assert_value("3", "!pip install no-such\n3")

    def test_the_rest_of_the_command_is_done(self):
        for command, printed in (
            ("pip install -q no-such && echo done", "done\n"),
            ("sudo pip install no-such; echo done", "done\n"),
            ("pip install 'no-such>=1;x' > /dev/null 2>&1", ""),
            ("pip install no-such | tail -1", ""),
        ):
            stdout = self.run_cells("!" + command).stdout
            self.assertIn("here: no no-such.", stdout, command)
            self.assertTrue(stdout.endswith(".\n" + printed), stdout)

    def test_other_words_are_no_installation(self):
        self.assertEqual(
            self.run_cells("!echo pip install x; echo pipe install").stdout, "pip install x\npipe install\n"
        )

    def test_options_are_not_packages(self):
        stdout = self.run_cells("%pip install --index-url nowhere -r list.txt 'one>=1' two[extra] -U").stdout
        self.assertIn("no one, two.", stdout)

    def test_other_commands_of_pip_are_no_installation(self):
        self.assertNotIn("cannot", self.run_cells("!pip --version").stdout)
