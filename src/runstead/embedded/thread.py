"""The engine on a thread of its own, for programs that do not await."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Coroutine, Generator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from runstead.client.deadline import Deadline
from runstead.embedded.arguments import arguments_of
from runstead.embedded.transport import POLL_AFTER, within
from runstead.engine.project import Project
from runstead.wire.endpoint import Endpoint
from runstead.wire.error import Closed
from runstead.wire.event import Event, RawEvent, decode_event
from runstead.wire.struct import Request
from runstead.worker.application import Application

__all__ = ["EngineTransport"]

R = TypeVar("R")
T = TypeVar("T")


class EngineTransport:
    """Carries the calls of a `Client`; the engine runs from here on, until closed."""

    def __init__(self, application: AbstractAsyncContextManager[Application], project: str) -> None:
        self._started: Future[tuple[asyncio.AbstractEventLoop, Project]] = Future()
        self._stop = asyncio.Event()
        # A program that ends without closing leaves its runs as a crash would: the next one goes on with them.
        self._thread = threading.Thread(
            target=asyncio.run, args=(self._serve(application, project),), name="runstead", daemon=True
        )
        self._thread.start()
        self._loop, self._project = self._started.result()

    def call(
        self,
        endpoint: Endpoint[R],
        path: Mapping[str, str],
        query: Request | None = None,
        body: Request | None = None,
        deadline: Deadline | None = None,
    ) -> R:
        arguments = arguments_of(endpoint, path, query, body)
        reply: R = self._wait(_do(getattr(self._project, endpoint.name)(**arguments), deadline))
        return reply

    def poll(
        self, endpoint: Endpoint[R], path: Mapping[str, str], deadline: Deadline | None = None
    ) -> tuple[R, float | None]:
        return self.call(endpoint, path, deadline=deadline), POLL_AFTER

    def stream(
        self,
        endpoint: Endpoint[Any],
        path: Mapping[str, str],
        query: Request | None = None,
        body: Request | None = None,
        deadline: Deadline | None = None,
    ) -> Generator[Event]:
        arguments = arguments_of(endpoint, path, query, body)
        batches = self._project.stream(endpoint.streaming or endpoint.name, **arguments)
        try:
            while (events := self._wait(_do(_next(batches), deadline))) is not None:
                for event in events:
                    yield decode_event(event.name, event.data, str(event.at))
        finally:
            if self._thread.is_alive():
                self._wait(batches.aclose())

    def close(self) -> None:
        """Hand back the runs at work, and close the store."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def _wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        if not self._thread.is_alive():
            coroutine.close()
            raise Closed("This engine was closed.")
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _serve(self, application: AbstractAsyncContextManager[Application], project: str) -> None:
        try:
            async with application as running:
                self._started.set_result((asyncio.get_running_loop(), running.project(project)))
                await self._stop.wait()
        except BaseException as error:
            if self._started.done():
                raise
            self._started.set_exception(error)


async def _do(coroutine: Coroutine[Any, Any, T], deadline: Deadline | None) -> T:
    async with within(deadline):
        return await coroutine


async def _next(batches: AsyncGenerator[Sequence[RawEvent]]) -> Sequence[RawEvent] | None:
    return await anext(batches, None)
