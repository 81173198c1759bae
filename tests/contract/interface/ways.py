"""The ways to the interface: straight to the engine, inside a program, or over HTTP; with await, or without."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, cast

import runstead
from runstead import bootstrap
from runstead.client import Client
from runstead.interface import Interface
from runstead.llm.port import ChatModel
from runstead.wire.endpoint import ENDPOINTS
from runstead.wire.event import Event
from tests.support.serving import served_at
from tests.support.worlds import world

__all__ = ["WAYS", "Way"]

Way = Callable[[Path, ChatModel], AbstractAsyncContextManager[Interface]]

STREAMS = {endpoint.streaming for endpoint in ENDPOINTS.values() if endpoint.streaming}


class InThreads:
    """A client that does not await, for a test that does: each call waits in a thread."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)
        if name in STREAMS:
            return lambda *args, **named: _events(method(*args, **named))
        return lambda *args, **named: asyncio.to_thread(method, *args, **named)


async def _events(stream: Iterator[Event]) -> AsyncIterator[Event]:
    try:
        while (event := await asyncio.to_thread(next, stream, None)) is not None:
            yield event
    finally:
        await asyncio.to_thread(stream.close)  # type: ignore[attr-defined]


@asynccontextmanager
async def engine(path: Path, model: ChatModel) -> AsyncIterator[Interface]:
    async with world(model=model, path=path) as here:
        yield here.project


@asynccontextmanager
async def open_async(path: Path, model: ChatModel) -> AsyncIterator[Interface]:
    async with runstead.open_async(path, model=model) as client:
        yield client


@asynccontextmanager
async def open_(path: Path, model: ChatModel) -> AsyncIterator[Interface]:
    client = await asyncio.to_thread(runstead.open, path, model=model)
    try:
        yield cast("Interface", InThreads(client))
    finally:
        await asyncio.to_thread(client.close)


@asynccontextmanager
async def connect_async(path: Path, model: ChatModel) -> AsyncIterator[Interface]:
    async with (
        bootstrap.embedded(path, model, 600) as application,
        served_at(application) as url,
        runstead.connect_async(url) as client,
    ):
        yield client


@asynccontextmanager
async def connect(path: Path, model: ChatModel) -> AsyncIterator[Interface]:
    async with bootstrap.embedded(path, model, 600) as application, served_at(application) as url:
        with runstead.connect(url) as client:
            yield cast("Interface", InThreads(client))


WAYS: list[Way] = [engine, open_async, open_, connect_async, connect]
