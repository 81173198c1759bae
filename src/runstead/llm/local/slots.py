"""A model that is loaded once and answers a few at a time; whoever comes later waits in line."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from runstead.domain.model_call import Piece
from runstead.llm.local.event_queue import Line
from runstead.llm.local.runtime import Runtime
from runstead.llm.openai_chat.answer_reader import AnswerReader
from runstead.llm.openai_chat.failure import Failure
from runstead.llm.openai_chat.response import Chunk

__all__ = ["Slots"]

T = TypeVar("T")

_log = logging.getLogger("runstead.llm")


class Slots:
    """Runs a model in threads of its own, one a slot. The first answer loads it, and those that come meanwhile wait."""

    def __init__(self, weights: Path, *, slots: int, window: int) -> None:
        self._free = asyncio.Semaphore(slots)
        self._lines: set[Line] = set()
        self._threads = ThreadPoolExecutor(slots, "runstead-local")
        self._load = lambda: Runtime(weights, slots=slots, window=window)
        self._runtime: asyncio.Future[Runtime] | None = None

    async def close(self) -> None:
        """Break off what is running, and end the threads. The model is unloaded with the last reference to this."""
        for line in self._lines:
            line.leave()
        await asyncio.to_thread(self._threads.shutdown)

    async def answer(self, body: dict[str, Any]) -> AsyncGenerator[list[Piece], None]:
        """The pieces of an answer. Leaving it stops the model at its next token."""
        runtime = await self._loaded()
        await self._free.acquire()
        line = Line()
        work = self._in_thread(lambda: runtime.chat(body, line.put))
        self._lines.add(line)
        work.add_done_callback(lambda done: self._end(line, done))
        reader = AnswerReader()
        try:
            while events := await line.take():
                if pieces := reader.take(msgspec.convert(events, list[Chunk])):
                    yield pieces
            await work
            yield reader.end()
        except (ValueError, RuntimeError) as error:
            raise Failure(f"refused the request: {error}", status=400) from error
        finally:
            line.leave()

    async def _loaded(self) -> Runtime:
        if self._runtime is None:
            self._runtime = self._in_thread(self._load)
            self._runtime.add_done_callback(_report)
        try:
            # Who leaves while it loads must not break off the loading.
            return await asyncio.shield(self._runtime)
        except (ValueError, RuntimeError) as error:
            raise Failure(f"could not be loaded: {error}") from error

    def _end(self, line: Line, work: asyncio.Future[None]) -> None:
        # A slot is free when its thread is, which may be a token after its reader has left.
        self._free.release()
        work.exception()  # seen, even if nobody waits for it any more
        self._lines.discard(line)
        line.end()

    def _in_thread(self, work: Callable[[], T]) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._threads, work)


def _report(loading: asyncio.Future[Runtime]) -> None:
    if not loading.cancelled() and (error := loading.exception()):
        _log.error("The embedded model does not load: %s", error)
