"""`await` outside functions, and the loop that stays."""

from .kernel import KernelTest, code


class Await(KernelTest):
    def test_await_outside_a_function(self):
        self.assert_value("'done'", "import asyncio", "await asyncio.sleep(0, 'done')")

    def test_async_with_and_for_outside_a_function(self):
        cell = code("""
            async def numbers():
                for n in range(3): yield n
            total = 0
            async for n in numbers(): total += n
            async with asyncio.Lock(): total += 1
            total, [n async for n in numbers()]
        """)
        self.assert_value("(4, [0, 1, 2])", "import asyncio", cell)

    def test_a_task_survives_its_cell(self):
        self.assert_value(
            "'late'",
            "import asyncio\nt = asyncio.create_task(asyncio.sleep(0, 'late'))\nawait asyncio.sleep(0)",
            "x = 1",
            "await t",
        )

    def test_a_cell_that_awaits_only_in_its_value_runs_in_the_loop_as_a_whole(self):
        self.assert_value("5", "import asyncio\nt = asyncio.create_task(asyncio.sleep(0, 5))\nawait t")

    def test_asyncio_run_works_in_a_cell_that_does_not_await(self):
        self.assert_value(
            "1", "import asyncio\nasync def f(): return 1", "await f()", "asyncio.run(f())", "await f()"
        )

    def test_run_until_complete_uses_the_sessions_loop(self):
        self.assert_value(
            "7",
            "import asyncio\nevent = asyncio.Event()\nawait asyncio.sleep(0)",
            "asyncio.get_event_loop().run_until_complete(asyncio.sleep(0, 7))",
        )

    def test_a_closed_loop_is_replaced(self):
        self.assert_value(
            "3",
            code("""
                import asyncio
                loop = asyncio.new_event_loop()
                await asyncio.sleep(0)
            """),
            "loop = asyncio.get_event_loop(); loop.close()",
            "await asyncio.sleep(0, 3)",
        )

    def test_an_error_in_a_coroutine_has_the_cells_lines(self):
        traceback = self.fail_cell(
            "async def f():\n    1 / 0", "import asyncio\nawait asyncio.gather(f())"
        ).traceback
        self.assertIn('"<cell 2>", line 2, in <module>', traceback)
        self.assertIn('"<cell 1>", line 2, in f', traceback)

    def test_a_muted_await_has_no_value(self):
        self.assertIsNone(self.run_cells("import asyncio\nawait asyncio.sleep(0, 1);").value)

    def test_exit_in_a_coroutine_ends_the_cell(self):
        outcome = self.kernel.run("import asyncio\nawait asyncio.sleep(0)\nexit(2)")
        self.assertEqual((outcome.status, outcome.exit_code), ("exited", 2))
        self.assert_value("1", "await asyncio.sleep(0, 1)")
