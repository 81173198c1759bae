"""The deployments that serve the interface: the engine itself, and each client over each transport.

Each layer is part of at least one: each client over each transport (`cluster` has the asynchronous one over HTTP),
both stores and both brokers. The stores and brokers have contract suites of their own.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, cast

import runstead
from runstead import bootstrap
from runstead.blobs.local import LocalBlobs
from runstead.blobs.port import Blobs
from runstead.broker.nats import NatsBroker
from runstead.client import Client
from runstead.engine.adapters import Clock, SystemClock
from runstead.interface import Interface
from runstead.llm.port import ChatModel
from runstead.retrieval.embeddings.local.model import LocalEmbeddings
from runstead.retrieval.index.port import Index
from runstead.retrieval.index.postgres import PostgresIndex
from runstead.store.port import Store
from runstead.store.postgres import PostgresStore
from runstead.store.sqlite import SqliteStore
from runstead.tools.file_search import FileSearchServer
from runstead.wire.endpoints import ENDPOINTS
from runstead.wire.event import Event
from runstead.worker.application import run
from tests.support.clock import ManualClock
from tests.support.cluster import nats_server
from tests.support.postgres import place, server
from tests.support.retrieval import retrieval_of
from tests.support.serving import served_at
from tests.support.worlds import adapters_of, world

__all__ = ["DEPLOYMENTS", "Deployment"]

Deployment = Callable[[Path, ChatModel], AbstractAsyncContextManager[Interface]]

STREAMS = {each.streaming for each in ENDPOINTS.values()} | {
    each.name for each in ENDPOINTS.values() if each.gives == "events"
}


class InThreads:
    """The synchronous client for an asynchronous test: each call runs in a thread."""

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
    parts = _searching(SqliteStore(path), ManualClock(), LocalBlobs(None))
    async with world(model=model, **parts) as here:
        yield here.project


def _searching(store: Store, clock: Clock, blobs: Blobs, index: Index | None = None) -> dict[str, Any]:
    """Adapters with which files can be searched."""
    retrieval = retrieval_of(store, clock, blobs, index=index)
    tools = [FileSearchServer(retrieval.search)]
    parts = {"store": store, "clock": clock, "blobs": blobs, "retrieval": retrieval, "tools": tools}
    return parts | {"embeddings": LocalEmbeddings()}


@asynccontextmanager
async def open_async(path: Path, model: ChatModel) -> AsyncIterator[Interface]:
    async with runstead.open_async(path, model=model, allow_private_webhooks=True) as client:
        yield cast("Interface", client)


@asynccontextmanager
async def open_(path: Path, model: ChatModel) -> AsyncIterator[Interface]:
    client = await asyncio.to_thread(runstead.open, path, model=model, allow_private_webhooks=True)
    try:
        yield cast("Interface", InThreads(client))
    finally:
        await asyncio.to_thread(client.close)


@asynccontextmanager
async def connect(path: Path, model: ChatModel) -> AsyncIterator[Interface]:
    async with (
        bootstrap.embedded(path, model, 600, allow_private_webhooks=True) as application,
        served_at(application) as url,
    ):
        with runstead.connect(url) as client:
            yield cast("Interface", InThreads(client))


def on_postgres(path: Path) -> PostgresStore:
    """A store in a schema that is named after the path."""
    return PostgresStore(server().url, schema=place(path), connections=8)


def on_nats(path: Path) -> NatsBroker:
    """A connection whose subjects are named after the path."""
    return NatsBroker(nats_server().url, name=place(path), kept_bytes=1 << 20)


@asynccontextmanager
async def cluster(path: Path, model: ChatModel) -> AsyncIterator[Interface]:
    """Two applications on PostgreSQL and NATS: one answers requests, the other executes runs."""
    server_side, worker_side = (
        adapters_of(
            model=model,
            broker=on_nats(path),
            **_searching(
                on_postgres(path),
                SystemClock(),
                LocalBlobs(path.with_suffix(".blobs")),
                PostgresIndex(server().url, schema=place(path)),
            ),
        )
        for _ in range(2)
    )
    async with (
        run(worker_side),
        run(server_side, works=False) as application,
        served_at(application) as url,
        runstead.connect_async(url) as client,
    ):
        yield cast("Interface", client)


DEPLOYMENTS: list[Deployment] = [engine, open_async, open_, connect, cluster]
