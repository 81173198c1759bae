"""Connections are reused, but never for two requests at a time, and never after they were closed."""

import asyncio

import pytest

from runstead.client._async.client import AsyncClient
from runstead.wire.error import Closed, ServerError
from tests.client import samples
from tests.client.samples import EVENTS_PATH, RUN_ID, THREAD_ID
from tests.client.wire_server import Response, Stream, WireServer, event

THREAD_PATH = f"/threads/{THREAD_ID}"
CREATED = event("thread.run.created", samples.run(), "1")


async def test_an_open_stream_occupies_one_connection(client: AsyncClient, server: WireServer) -> None:
    server.on("GET", THREAD_PATH, Response.of(samples.thread()))
    server.on("GET", EVENTS_PATH, Stream([CREATED], held=True))
    async with client.run_events(THREAD_ID, RUN_ID) as stream:
        await anext(stream)
        for _ in range(3):
            await client.get_thread(THREAD_ID)
    assert server.connections == 2


async def test_an_idle_connection_that_the_server_closed_is_not_reused(client: AsyncClient, server: WireServer) -> None:
    server.on("POST", "/threads", Response.of(samples.thread(), last=True))
    for _ in range(3):
        await client.create_thread()
        assert await asyncio.to_thread(server.gone.wait, 5)
        server.gone.clear()
    assert server.connections == 3


async def test_a_connection_with_an_unread_response_is_not_reused(client: AsyncClient, server: WireServer) -> None:
    server.on("GET", THREAD_PATH, Response.of(samples.thread()))
    server.on("GET", EVENTS_PATH, Stream([CREATED], held=True))
    async with client.run_events(THREAD_ID, RUN_ID) as stream:
        await anext(stream)
    await client.get_thread(THREAD_ID)
    assert server.connections == 2


async def test_a_failed_stream_releases_its_connection(client: AsyncClient, server: WireServer) -> None:
    server.on("GET", EVENTS_PATH, Response.of(samples.run()))
    for _ in range(2):
        with pytest.raises(ServerError):
            await client.run_events(THREAD_ID, RUN_ID).drained()


async def test_closing_the_client_ends_its_streams(client: AsyncClient, server: WireServer) -> None:
    server.on("GET", EVENTS_PATH, Stream([CREATED], held=True))
    stream = client.run_events(THREAD_ID, RUN_ID)
    await anext(stream)
    await client.aclose()
    with pytest.raises(Closed):
        await anext(stream)
