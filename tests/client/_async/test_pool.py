"""Connections are used again, never for two requests at a time, and never after their end."""

import asyncio

import pytest

from runstead.client._async.client import AsyncClient
from runstead.wire.error import Closed, ServerError
from tests.client import samples
from tests.client.samples import EVENTS_PATH, RUN_ID, THREAD_ID
from tests.client.wire_server import Answer, Stream, WireServer, event

THREAD_PATH = f"/threads/{THREAD_ID}"
CREATED = event("thread.run.created", samples.run(), "1")


async def test_a_stream_has_a_connection_of_its_own(client: AsyncClient, server: WireServer) -> None:
    server.on("GET", THREAD_PATH, Answer.of(samples.thread()))
    server.on("GET", EVENTS_PATH, Stream([CREATED], held=True))
    async with client.run_events(THREAD_ID, RUN_ID) as stream:
        await anext(stream)
        for _ in range(3):
            await client.get_thread(THREAD_ID)
    assert server.connections == 2


async def test_a_connection_that_the_server_closed_meanwhile_is_not_used_again(
    client: AsyncClient, server: WireServer
) -> None:
    server.on("POST", "/threads", Answer.of(samples.thread(), last=True))
    for _ in range(3):
        await client.create_thread()
        assert await asyncio.to_thread(server.gone.wait, 5)
        server.gone.clear()
    assert server.connections == 3


async def test_a_connection_with_an_unread_answer_is_not_used_again(client: AsyncClient, server: WireServer) -> None:
    server.on("GET", THREAD_PATH, Answer.of(samples.thread()))
    server.on("GET", EVENTS_PATH, Stream([CREATED], held=True))
    async with client.run_events(THREAD_ID, RUN_ID) as stream:
        await anext(stream)
    await client.get_thread(THREAD_ID)
    assert server.connections == 2


async def test_a_refused_stream_gives_its_connection_back(client: AsyncClient, server: WireServer) -> None:
    server.on("GET", EVENTS_PATH, Answer.of(samples.run()))
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
