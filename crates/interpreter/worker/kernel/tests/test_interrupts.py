"""SIGINT, the first step of a time limit."""

from .kernel import KernelTest, code


class Interrupts(KernelTest):
    def interrupted(self, cell):
        """Interrupts a cell once it displays something."""
        outcome = self.kernel.run(cell, self.kernel.interrupt)
        self.assertEqual(outcome.status, "interrupted", outcome.error)
        return outcome

    def test_a_loop_is_interrupted_and_names_stay(self):
        outcome = self.interrupted("n = 1\ndisplay('go')\nwhile True: n += 1")
        self.assertIn("<cell 1>", outcome.traceback)
        self.assertTrue(outcome.traceback.endswith("KeyboardInterrupt"))
        self.assert_value("True", "n > 0")

    def test_sleep_regex_and_locks_are_interrupted(self):
        for cell in (
            "import time; display('go'); time.sleep(1000)",
            "import re; display('go'); re.match('(a+)+b', 'a' * 100)",
            "import threading; lock = threading.Lock(); lock.acquire(); display('go'); lock.acquire()",
        ):
            self.interrupted(cell)
        self.assert_value("1", "1")

    def test_a_command_ends_with_its_cell(self):
        self.run_cells(
            code("""
                import os, threading
                def tell():
                    while not os.path.exists('pid'): pass
                    display('go')
                threading.Thread(target=tell).start()
            """)
        )
        self.interrupted("!echo $$ > new; mv new pid; exec sleep 1000")
        self.assertEqual(self.fail_cell("os.kill(int(open('pid').read()), 0)").error["name"], "ProcessLookupError")

    def test_a_command_that_is_just_starting_ends_too(self):
        self.interrupted("display('go')\n!echo $$ > pid; exec sleep 1000")
        self.assert_value("1", "1")

    def test_an_await_is_interrupted_and_its_task_cancelled(self):
        outcome = self.interrupted(
            code("""
                import asyncio
                try:
                    display('go')
                    await asyncio.sleep(1000)
                finally:
                    print('cleaned up')
            """)
        )
        self.assertEqual(outcome.stdout, "cleaned up\n")
        self.assert_value("2", "await asyncio.sleep(0, 2)")

    def test_a_handler_of_the_last_cell_is_replaced(self):
        self.run_cells("import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)")
        self.interrupted("display('go')\nwhile True: pass")

    def test_a_repr_is_interrupted(self):
        self.interrupted(
            "class Slow:\n    def __repr__(self):\n        display('go')\n        while True: pass\nSlow()"
        )

    def test_a_signal_between_cells_is_forgotten(self):
        self.run_cells("1")
        self.kernel.interrupt()
        self.kernel.describe()
        self.assert_value("2", "2")

    def test_an_interrupt_that_the_cell_catches_is_its_own_affair(self):
        outcome = self.kernel.run(
            "try:\n    display('go')\n    while True: pass\nexcept KeyboardInterrupt:\n    r = 'caught'\nr",
            self.kernel.interrupt,
        )
        self.assertEqual((outcome.status, outcome.text), ("ok", "'caught'"))
