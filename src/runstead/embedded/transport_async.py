"""Calls that go straight to the engine, on the event loop that it runs on."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from copy import copy
from typing import Any, Self, TypeVar

from runstead.client.deadline import Deadline
from runstead.embedded.calls import Calls
from runstead.engine.resources.project import Project
from runstead.wire.codec.lenient import read_event
from runstead.wire.endpoint import Endpoint
from runstead.wire.error import WaitTimeout
from runstead.wire.event import Event
from runstead.wire.struct import Request

__all__ = ["AsyncEngineTransport", "within"]

R = TypeVar("R")

POLL_AFTER = 0.02
"""Seconds after which a poll is worth it again: it costs a read of memory."""


class AsyncEngineTransport:
    """Carries the calls of an `AsyncClient` in the same process."""

    def __init__(self, project: Project) -> None:
        self._calls = Calls(project)

    async def call(
        self,
        endpoint: Endpoint[R],
        path: Mapping[str, str],
        query: Request | None = None,
        body: Request | None = None,
        deadline: Deadline | None = None,
    ) -> R:
        async with within(deadline):
            return await self._calls.call(endpoint, path, query, body)

    async def poll(
        self, endpoint: Endpoint[R], path: Mapping[str, str], deadline: Deadline | None = None
    ) -> tuple[R, float | None]:
        return await self.call(endpoint, path, deadline=deadline), POLL_AFTER

    async def stream(
        self,
        endpoint: Endpoint[Any],
        path: Mapping[str, str],
        query: Request | None = None,
        body: Request | None = None,
        deadline: Deadline | None = None,
    ) -> AsyncGenerator[Event]:
        async with aclosing(self._calls.stream(endpoint, path, query, body)) as batches:
            while True:
                async with within(deadline):
                    events = await anext(batches, None)
                if events is None:
                    return
                for event in events:
                    yield read_event(event)

    def once(self, key: str | None) -> Self:
        transport = copy(self)
        transport._calls = self._calls.once(key)  # noqa: SLF001 (its own)
        return transport

    async def aclose(self) -> None:
        """The engine is closed by who opened it."""


@asynccontextmanager
async def within(deadline: Deadline | None) -> AsyncIterator[None]:
    """`WaitTimeout` when the deadline comes first."""
    try:
        async with asyncio.timeout(None if deadline is None else deadline.remaining):
            yield
    except TimeoutError as error:
        if deadline is None or not deadline.over:
            raise
        raise WaitTimeout(f"Not done within {deadline.seconds:g} s.") from error
