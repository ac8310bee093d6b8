"""What a cell prints and displays."""

from .kernel import KernelTest, code


class Output(KernelTest):
    def test_standard_output_and_error_are_kept_apart(self):
        outcome = self.run_cells("import sys\nprint('out')\nprint('err', file=sys.stderr)")
        self.assertEqual((outcome.stdout, outcome.stderr), ("out\n", "err\n"))

    def test_text_without_a_line_end_is_there_after_the_cell(self):
        self.assertEqual(self.run_cells("print('no line end', end='')").stdout, "no line end")

    def test_text_is_utf_8_and_surrogates_are_escaped(self):
        self.assertEqual(self.run_cells("print('千手 \\udc80')").stdout, "千手 \\udc80\n")

    def test_order_with_children_and_descriptors_is_kept(self):
        cell = code("""
            import os, subprocess
            print('1')
            os.write(1, b'2\\n')
            print('3')
            _ = subprocess.run(['echo', '4'])
            print('5')
        """)
        self.assertEqual(self.run_cells(cell).stdout, "1\n2\n3\n4\n5\n")

    def test_what_was_printed_before_an_error_is_there(self):
        self.assertEqual(self.fail_cell("print('before', end='')\n1 / 0").stdout, "before")

    def test_a_thread_prints_in_a_later_cell(self):
        cells = (
            code("""
                import threading
                go = threading.Event()
                t = threading.Thread(target=lambda: (go.wait(), print('late')))
                t.start()
            """),
            "go.set(); t.join()",
        )
        self.assertEqual(self.run_cells(*cells).stdout, "late\n")

    def test_redirected_output_is_the_cells_own(self):
        cell = code("""
            import contextlib, io
            with contextlib.redirect_stdout(io.StringIO()) as f: print('inside')
            f.getvalue()
        """)
        outcome = self.run_cells(cell)
        self.assertEqual((outcome.text, outcome.stdout), ("'inside\\n'", ""))

    def test_logging_set_up_in_one_cell_works_in_the_next(self):
        outcome = self.run_cells(
            "import logging\nlogging.basicConfig(level='INFO', format='%(message)s')", "logging.info('said')"
        )
        self.assertEqual(outcome.stderr, "said\n")


class Displays(KernelTest):
    def test_display_sends_each_value(self):
        outcome = self.run_cells("display(1, 'two')\n3")
        self.assertEqual(
            [display["data"] for display in outcome.displays], [{"text/plain": "1"}, {"text/plain": "'two'"}]
        )
        self.assertEqual({display["source"] for display in outcome.displays}, {"display"})
        self.assertEqual(outcome.text, "3")

    def test_raw_data_is_sent_as_it_is(self):
        outcome = self.run_cells("display({'text/html': '<i>x</i>', 'image/png': b'not an image'}, raw=True)")
        data = outcome.displays[0]["data"]
        self.assertEqual(data["text/html"], "<i>x</i>")

    def test_text_printed_before_a_display_is_flushed_before_it(self):
        outcome = self.run_cells("print('ab', end='')\ndisplay(1)\nprint('cd', end='')\ndisplay(2)")
        self.assertEqual(outcome.printed_before, [2, 4])

    def test_a_thread_of_the_cell_may_display(self):
        cell = code("""
            import threading
            ts = [threading.Thread(target=display, args=(n,)) for n in range(8)]
            [t.start() for t in ts]
            [t.join() for t in ts];
        """)
        self.assertEqual(
            sorted(display["data"]["text/plain"] for display in self.run_cells(cell).displays),
            [str(n) for n in range(8)],
        )

    def test_a_display_that_a_thread_is_about_to_send_comes_before_the_end(self):
        cell = code("""
            import sys, threading
            main, begun = threading.get_ident(), threading.Event()
            class Late:
                def __repr__(self):
                    begun.set()
                    # The cell is over then, but for this.
                    while sys._current_frames()[main].f_code.co_name not in ('close', 'serve'): pass
                    return 'late'
            threading.Thread(target=display, args=(Late(),)).start()
            begun.wait();
        """)
        displays = self.run_cells(cell).displays
        self.assertEqual([display["data"]["text/plain"] for display in displays], ["late"])

    def test_displays_before_an_error_are_there(self):
        self.assertEqual(len(self.fail_cell("display(1)\n1 / 0").displays), 1)


class ForkedProcesses(KernelTest):
    def test_a_forked_child_that_reaches_the_cells_end_sends_no_reply(self):
        outcome = self.run_cells(
            "import os\npid = os.fork()\nif pid: os.waitpid(pid, 0)\nprint('parent' if pid else 'child')\n7"
        )
        self.assertEqual((outcome.stdout, outcome.text), ("child\nparent\n", "7"))
        self.assert_value("8", "8")

    def test_a_forked_child_prints_its_error_and_fails(self):
        outcome = self.run_cells("import os\npid = os.fork()\nif not pid: 1 / 0\nos.waitpid(pid, 0)[1] >> 8")
        self.assertEqual(outcome.text, "1")
        self.assertIn("ZeroDivisionError", outcome.stderr)

    def test_a_forked_child_has_an_exit_status(self):
        self.assert_value(
            "5", "import os, sys\npid = os.fork()\nif not pid: sys.exit(5)\nos.waitpid(pid, 0)[1] >> 8"
        )

    def test_a_display_in_a_child_is_printed(self):
        outcome = self.run_cells(
            code("""
                import os
                pid = os.fork()
                if not pid:
                    display('in the child')
                    os._exit(0)
                os.waitpid(pid, 0);
            """)
        )
        self.assertEqual((outcome.displays, outcome.stdout), ([], "'in the child'\n"))

    def test_multiprocessing_runs_functions_of_a_cell(self):
        cells = (
            "import multiprocessing as mp\ndef square(n): return n * n",
            "with mp.Pool(2) as pool: result = pool.map(square, range(5))\nresult, mp.get_start_method()",
        )
        self.assert_value("([0, 1, 4, 9, 16], 'fork')", *cells)
