"""The one thread that waits for the disk.

A lone run waits for this thread five times, and for nothing else as often, so a call is handed over by a queue and a
callback of the loop alone: half the time of an executor with its locks and futures.
"""

import asyncio
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import TypeAlias, TypeVar

__all__ = ["CommitThread"]

T = TypeVar("T")

_Call: TypeAlias = Callable[[], None]


class CommitThread:
    """Calls functions one after the other. `RuntimeError` if the thread cannot start."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        # A process whose store was not stopped may end: to the database that is a crash, and loses nothing.
        self._thread = Thread(target=self._run, name="runstead-commit", daemon=True)
        self._thread.start()

    def call(self, function: Callable[[], T], done: Callable[[T | None, BaseException | None], None]) -> None:
        """Call the function in the thread, and then `done` on the loop, with the result or the error."""

        def call() -> None:
            try:
                result = function()
            except BaseException as error:  # noqa: BLE001 - whatever it is, it is reported
                self._loop.call_soon_threadsafe(done, None, error)
            else:
                self._loop.call_soon_threadsafe(done, result, None)

        self._calls.put(call)

    def stop(self) -> None:
        """Wait for the calls that were made, and end the thread."""
        self._calls.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
            del call  # it has the answers of a batch, and the next one may come much later
