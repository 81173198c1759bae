"""The ways to the interface: straight to the engine, inside a program, or over HTTP; with await, or without; and over
each of the engines, with one process or, as it were, two.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, cast

import runstead
from runstead import bootstrap
from runstead.broker.nats import NatsBroker
from runstead.client import AsyncClient, Client
from runstead.embedded.transport_async import AsyncEngineTransport
from runstead.engine.adapters import SystemClock
from runstead.interface import Interface
from runstead.llm.port import ChatModel
from runstead.store.postgres import PostgresStore
from runstead.wire.endpoints import ENDPOINTS
from runstead.wire.event import Event
from runstead.worker.application import Application, run
from tests.support.callers import entered
from tests.support.cluster import nats_server
from tests.support.postgres import place, server
from tests.support.serving import served_at
from tests.support.worlds import adapters_of, world

__all__ = ["WAYS", "Way"]

Way = Callable[[Path, ChatModel], AbstractAsyncContextManager[Interface]]

STREAMS = {each.streaming for each in ENDPOINTS.values()} | {
    each.name for each in ENDPOINTS.values() if each.gives == "events"
}


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
    async with runstead.open_async(path, model=model, allow_private_webhooks=True) as client:
        yield client


@asynccontextmanager
async def open_(path: Path, model: ChatModel) -> AsyncIterator[Interface]:
    client = await asyncio.to_thread(runstead.open, path, model=model, allow_private_webhooks=True)
    try:
        yield cast("Interface", InThreads(client))
    finally:
        await asyncio.to_thread(client.close)


@asynccontextmanager
async def connect_async(path: Path, model: ChatModel) -> AsyncIterator[Interface]:
    async with (
        bootstrap.embedded(path, model, 600, allow_private_webhooks=True) as application,
        served_at(application) as url,
        runstead.connect_async(url) as client,
    ):
        yield client


@asynccontextmanager
async def connect(path: Path, model: ChatModel) -> AsyncIterator[Interface]:
    async with (
        bootstrap.embedded(path, model, 600, allow_private_webhooks=True) as application,
        served_at(application) as url,
    ):
        with runstead.connect(url) as client:
            yield cast("Interface", InThreads(client))


def on_postgres(path: Path) -> PostgresStore:
    """A store of its own in the schema of this path."""
    return PostgresStore(server().url, schema=place(path), connections=8)


def on_nats(path: Path) -> NatsBroker:
    """A connection of its own, by the names of this path."""
    return NatsBroker(nats_server().url, name=place(path), kept_bytes=1 << 20)


async def inside(application: Application) -> AsyncClient:
    """A client as `open_async` gives it."""
    return AsyncClient(AsyncEngineTransport(await entered(application)))


@asynccontextmanager
async def cluster(path: Path, model: ChatModel) -> AsyncIterator[Interface]:
    """One process answers, another one works."""
    answers = adapters_of(model=model, store=on_postgres(path), broker=on_nats(path), clock=SystemClock())
    works = adapters_of(model=model, store=on_postgres(path), broker=on_nats(path), clock=SystemClock())
    async with (
        run(works),
        run(answers, works=False) as application,
        served_at(application) as url,
        runstead.connect_async(url) as client,
    ):
        yield client


@asynccontextmanager
async def postgres(path: Path, model: ChatModel) -> AsyncIterator[Interface]:
    adapters = adapters_of(model=model, store=on_postgres(path), clock=SystemClock())
    async with run(adapters) as application, await inside(application) as client:
        yield client


@asynccontextmanager
async def sqlite_and_nats(path: Path, model: ChatModel) -> AsyncIterator[Interface]:
    adapters = adapters_of(model=model, path=path, broker=on_nats(path), clock=SystemClock())
    async with run(adapters) as application, await inside(application) as client:
        yield client


WAYS: list[Way] = [engine, open_async, open_, connect_async, connect, cluster, postgres, sqlite_and_nats]
