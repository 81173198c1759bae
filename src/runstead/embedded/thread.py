"""The engine on a thread of its own, for sync programs."""

import asyncio
import atexit
import logging
import threading
import weakref
from collections.abc import Coroutine
from concurrent.futures import CancelledError, Future
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from runstead.wire.error import Closed
from runstead.worker.application import Application

__all__ = ["EngineThread"]

T = TypeVar("T")

_log = logging.getLogger("runstead.engine")

_LAST_SECONDS = 5.0
"""How long the exit of a program waits for an engine that was not closed. Then its runs are left as by a crash."""


class EngineThread:
    """Runs an application until closed."""

    def __init__(self, application: AbstractAsyncContextManager[Application]) -> None:
        self._started: Future[tuple[asyncio.AbstractEventLoop, Application]] = Future()
        self._stop = asyncio.Event()
        # Reentrant: the garbage collector may close a stream while this thread holds the lock.
        self._lock = threading.RLock()
        self._closed: Closed | None = None
        work = (self._run(application),)
        self._thread = threading.Thread(target=asyncio.run, args=work, name="runstead", daemon=True)
        self._thread.start()
        try:
            self._loop, self.application = self._started.result()
        except Exception:
            self._thread.join()
            raise
        _close_at_exit(self)

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The coroutine's result, after it ran on the engine's thread. `Closed` when the engine is or gets closed."""
        future = self.begin(coroutine)
        try:
            return future.result()
        except CancelledError:
            raise self._closed or Closed("This engine is being closed.") from None
        except BaseException:
            future.cancel()  # the waiting thread was interrupted; if the coroutine failed by itself, this does nothing
            raise

    def begin(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Start the coroutine on the engine's thread. It is cancelled when the engine is closed."""
        with self._lock:
            if self._closed is not None:
                coroutine.close()
                raise self._closed
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def close(self, patience: float | None = None) -> None:
        """Release the claimed runs, and close the store."""
        with self._lock:
            if self._closed is None:
                self._closed = Closed("This engine was closed.")
                self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(patience)

    async def _run(self, application: AbstractAsyncContextManager[Application]) -> None:
        try:
            async with application as running:
                self._started.set_result((asyncio.get_running_loop(), running))
                await self._stop.wait()
        except BaseException as error:  # noqa: BLE001 (it is raised to the waiting threads)
            if not self._started.done():
                self._started.set_exception(error)
                return
            _log.critical("engine failed", exc_info=error)
            with self._lock:
                self._closed = Closed(
                    "The engine failed; the log shows the cause. After the next `open`, all runs continue."
                )


def _close_at_exit(engine: EngineThread) -> None:
    """Close the engine when the program ends. `atexit` functions would run too late: after all threads have ended."""
    known = weakref.ref(engine)

    def close() -> None:
        if (running := known()) is not None:
            running.close(_LAST_SECONDS)

    register = getattr(threading, "_register_atexit", atexit.register)
    register(close)
