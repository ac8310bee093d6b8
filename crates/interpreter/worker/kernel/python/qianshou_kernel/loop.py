"""The session's event loop, which runs while a cell awaits."""

import asyncio


class Loop:
    """One loop a session, made when a cell first awaits: a task that a cell started goes on in the next one."""

    def __init__(self):
        self._loop = None

    def restore(self):
        """Makes the loop, if there is one, the current one, for cells that ask for it by `get_event_loop`."""
        if self._loop is not None and not self._loop.is_closed():
            asyncio.set_event_loop(self._loop)

    def run(self, coroutine):
        """Runs a cell's coroutine to its end. What stops it early cancels it first."""
        if self._loop is None or self._loop.is_closed():
            self._loop = asyncio.new_event_loop()
        self.restore()
        task = self._loop.create_task(coroutine)
        try:
            return self._loop.run_until_complete(task)
        except BaseException:
            if not task.done():
                task.cancel()
                self._loop.run_until_complete(asyncio.wait([task]))
            raise
