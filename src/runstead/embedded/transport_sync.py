"""Calls that wait for the engine on its thread."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from copy import copy
from typing import Any, Self, TypeVar

from runstead.client.deadline import Deadline
from runstead.embedded.calls import Calls
from runstead.embedded.thread import EngineThread
from runstead.embedded.transport_async import POLL_AFTER, within
from runstead.wire.codec.lenient import read_event
from runstead.wire.endpoint import Endpoint
from runstead.wire.event import Event, RawEvent
from runstead.wire.struct import Request

__all__ = ["EngineTransport"]

R = TypeVar("R")
T = TypeVar("T")


class EngineTransport:
    """Carries the calls of a `Client` to a project of the engine, from any thread but the engine's own."""

    def __init__(self, engine: EngineThread, project: str) -> None:
        self._engine = engine
        self._calls = Calls(engine.application.project(project))

    def call(
        self,
        endpoint: Endpoint[R],
        path: Mapping[str, str],
        query: Request | None = None,
        body: Request | None = None,
        deadline: Deadline | None = None,
    ) -> R:
        return self._engine.wait(_do(lambda: self._calls.call(endpoint, path, query, body), deadline))

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
        batches = _Batches(self._calls.stream(endpoint, path, query, body))
        held = self._engine.begin(batches.hold())
        try:
            while (events := self._engine.wait(_do(batches.next, deadline))) is not None:
                for event in events:
                    yield read_event(event)
        finally:
            held.cancel()  # and not waited for: the garbage collector may do this, on the engine's thread too

    def once(self, key: str | None) -> Self:
        transport = copy(self)
        transport._calls = self._calls.once(key)  # noqa: SLF001 (its own)
        return transport

    def close(self) -> None:
        """Hand back the runs at work, and close the store."""
        self._engine.close()


class _Batches:
    """The batches of a stream, asked for from elsewhere."""

    def __init__(self, batches: AsyncGenerator[Sequence[RawEvent]]) -> None:
        self._batches = batches
        # Who is interrupted while it waits for the next batch lets go of the stream at the same time.
        self._one_at_a_time = asyncio.Lock()

    async def next(self) -> Sequence[RawEvent] | None:
        """None at the end."""
        async with self._one_at_a_time:
            return await anext(self._batches, None)

    async def hold(self) -> None:
        """Until cancelled, by the reader or by the end of the engine; then the stream is closed."""
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            async with self._one_at_a_time:
                await self._batches.aclose()


async def _do(work: Callable[[], Awaitable[T]], deadline: Deadline | None) -> T:
    async with within(deadline):
        return await work()
