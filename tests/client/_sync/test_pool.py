# Generated from tests/client/_async/test_pool.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""Connections are used again, never for two requests at a time, and never after their end."""

import pytest

from runstead.client._sync.client import Client
from runstead.wire.error import Closed, ServerError
from tests.client import samples
from tests.client.samples import EVENTS_PATH, RUN_ID, THREAD_ID
from tests.client.wire_server import Answer, Stream, WireServer, event

THREAD_PATH = f"/threads/{THREAD_ID}"
CREATED = event("thread.run.created", samples.run(), "1")


def test_a_stream_has_a_connection_of_its_own(client: Client, server: WireServer) -> None:
    server.on("GET", THREAD_PATH, Answer.of(samples.thread()))
    server.on("GET", EVENTS_PATH, Stream([CREATED], held=True))
    with client.run_events(THREAD_ID, RUN_ID) as stream:
        next(stream)
        for _ in range(3):
            client.get_thread(THREAD_ID)
    assert server.connections == 2


def test_a_connection_that_the_server_closed_meanwhile_is_not_used_again(client: Client, server: WireServer) -> None:
    server.on("POST", "/threads", Answer.of(samples.thread(), last=True))
    for _ in range(3):
        client.create_thread()
        assert server.gone.wait(5)
        server.gone.clear()
    assert server.connections == 3


def test_a_connection_with_an_unread_answer_is_not_used_again(client: Client, server: WireServer) -> None:
    server.on("GET", THREAD_PATH, Answer.of(samples.thread()))
    server.on("GET", EVENTS_PATH, Stream([CREATED], held=True))
    with client.run_events(THREAD_ID, RUN_ID) as stream:
        next(stream)
    client.get_thread(THREAD_ID)
    assert server.connections == 2


def test_a_refused_stream_gives_its_connection_back(client: Client, server: WireServer) -> None:
    server.on("GET", EVENTS_PATH, Answer.of(samples.run()))
    for _ in range(2):
        with pytest.raises(ServerError):
            client.run_events(THREAD_ID, RUN_ID).drained()


def test_closing_the_client_ends_its_streams(client: Client, server: WireServer) -> None:
    server.on("GET", EVENTS_PATH, Stream([CREATED], held=True))
    stream = client.run_events(THREAD_ID, RUN_ID)
    next(stream)
    client.close()
    with pytest.raises(Closed):
        next(stream)
