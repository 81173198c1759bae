"""A model that is loaded once and answers a few requests at a time; further requests are queued."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from runstead.domain.model_call import Piece
from runstead.llm.local.event_queue import EventQueue
from runstead.llm.local.runtime import Runtime
from runstead.llm.openai_chat.answer.answer_reader import AnswerReader
from runstead.model_server.failure import Failure

__all__ = ["Slots"]

T = TypeVar("T")

_log = logging.getLogger("runstead.llm")


class Slots:
    """Runs a model in threads of its own, one for each slot. The first answer loads the model."""

    def __init__(self, weights: Path, *, slots: int, window: int) -> None:
        self._free = asyncio.Semaphore(slots)
        self._queues: set[EventQueue] = set()
        self._threads = ThreadPoolExecutor(slots, "runstead-local")
        self._load = lambda: Runtime(weights, slots=slots, window=window)
        self._runtime: asyncio.Future[Runtime] | None = None

    async def close(self) -> None:
        """Cancel the running answers and end the threads. The model is unloaded with the last reference to this."""
        for queue in self._queues:
            queue.cancel()
        await asyncio.to_thread(self._threads.shutdown)

    async def answer(self, body: dict[str, Any]) -> AsyncGenerator[list[Piece], None]:
        """The pieces of an answer. Closing the generator stops the model at its next token."""
        runtime = await self._loaded()
        await self._free.acquire()
        queue = EventQueue()
        work = self._in_thread(lambda: runtime.chat(body, queue.put))
        self._queues.add(queue)
        work.add_done_callback(lambda done: self._finished(queue, done))
        reader = AnswerReader()
        try:
            while events := await queue.get():
                for pieces in filter(None, reader.feed_documents(events)):
                    yield pieces
            await work
            for pieces in filter(None, reader.end()):
                yield pieces
        except (ValueError, RuntimeError) as error:
            raise Failure(f"refused the request: {error}", status=400) from error
        finally:
            queue.cancel()

    async def _loaded(self) -> Runtime:
        if self._runtime is None:
            self._runtime = self._in_thread(self._load)
            self._runtime.add_done_callback(_log_error)
        try:
            # A cancelled request must not cancel the loading.
            return await asyncio.shield(self._runtime)
        except (ValueError, RuntimeError) as error:
            raise Failure(f"could not be loaded: {error}") from error

    def _finished(self, queue: EventQueue, work: asyncio.Future[None]) -> None:
        # A slot is free when its thread is. That may be a token after the answer was cancelled.
        self._free.release()
        work.exception()  # marks the exception as retrieved, because the answer may have been cancelled
        self._queues.discard(queue)
        queue.close()

    def _in_thread(self, work: Callable[[], T]) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._threads, work)


def _log_error(loading: asyncio.Future[Runtime]) -> None:
    if not loading.cancelled() and (error := loading.exception()):
        _log.error("The embedded model could not be loaded: %s", error)
