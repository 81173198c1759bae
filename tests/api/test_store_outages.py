"""A store that is away: calls get a 503 in bounded time that clients may retry, and the server is not ready."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import httpx2
import pytest
from openai import AsyncOpenAI

from runstead.store.port import Lane, Tx
from runstead.store.postgres import PostgresStore
from runstead.store.sqlite import SqliteStore
from runstead.wire.error import Unconfirmed, Unreachable
from tests.api.served import BETA, Stage, called
from tests.support.clock import FastClock
from tests.support.postgres import Server, place, server
from tests.support.serving import served_at
from tests.support.waiting import until, within
from tests.support.worlds import World, world
from tests.worker.processes import starter

THREADS = "/threads"
READY = "http://127.0.0.1/ready"


def check_refused(response: httpx2.Response) -> None:
    assert response.status_code == 503
    assert (response.headers["retry-after"], response.headers["retry-after-ms"]) == ("1", "1000")
    assert "x-should-retry" not in response.headers
    assert response.json()["error"] == {
        "message": "The server cannot use its database at the moment. Please try again in a moment.",
        "type": "server_error",
        "param": None,
        "code": None,
    }


@asynccontextmanager
async def in_file(path: Path) -> AsyncIterator[World]:
    """An application over a file, which has little patience with other programs."""
    async with world(store=SqliteStore(path, patience=0.05), clock=FastClock()) as here:
        yield here


@pytest.fixture
def own_server() -> Iterator[Server]:
    own = Server()
    own.start()
    yield own
    own.remove()


async def test_a_file_that_another_program_holds_refuses_writes_and_answers_reads(tmp_path: Path) -> None:
    path = tmp_path / "rs.db"
    async with within(), in_file(path) as here, called(here.application) as client:
        thread_id = await here.thread("Hi")
        assert (await client.get(READY)).status_code == 200
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            check_refused(await client.post(THREADS, json={}))
            assert (await client.get(f"{THREADS}/{thread_id}")).status_code == 200
            await until(lambda: is_ready(client, False))
            assert (await client.get(READY)).json()["store"] == "unavailable"
        assert (await client.post(THREADS, json={})).status_code == 200
        await until(lambda: is_ready(client, True))


async def is_ready(client: httpx2.AsyncClient, expected: bool) -> bool:
    return ((await client.get(READY)).status_code == 200) is expected


async def test_an_official_client_succeeds_after_an_outage(tmp_path: Path) -> None:
    path = tmp_path / "rs.db"
    async with (
        within(),
        in_file(path) as here,
        served_at(here.application) as url,
        AsyncOpenAI(base_url=f"{url}/v1", api_key="any", default_headers=BETA) as client,
        httpx2.AsyncClient(base_url=f"{url}/v1", headers=BETA) as plain,
        asyncio.TaskGroup() as group,
    ):
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            creating = group.create_task(client.post("/threads", cast_to=object, body={}))
            check_refused(await plain.post("/threads", json={}))  # the other one has been refused as well by then
        assert await creating
        assert len((await plain.get("/threads")).json()["data"]) == 1


async def test_a_server_of_postgresql_that_is_away_refuses_calls(tmp_path: Path, own_server: Server) -> None:
    start = starter(place(tmp_path), own_server.url, patience=0.2)
    async with within(60), start() as here, called(here.application) as client:
        thread_id = await here.thread("Hi")
        await asyncio.to_thread(own_server.stop)
        check_refused(await client.post(THREADS, json={}))
        check_refused(await client.get(f"{THREADS}/{thread_id}"))
        await until(lambda: is_ready(client, False))
        await asyncio.to_thread(own_server.start)
        await until(lambda: is_ready(client, True))
        assert (await client.post(THREADS, json={})).status_code == 200


async def test_calls_for_which_there_is_no_connection_are_refused(tmp_path: Path) -> None:
    store = PostgresStore(server().url, schema=place(tmp_path), connections=1, patience=0.1)
    held, release = asyncio.Event(), asyncio.Event()

    async def hold(tx: Tx) -> None:
        await tx.threads.get("any", "thread_any")
        held.set()
        await release.wait()

    async with within(), world(store=store, clock=FastClock()) as here, asyncio.TaskGroup() as group:
        group.create_task(store.read(hold, lane=Lane.RUN))
        await held.wait()
        async with called(here.application) as client:
            for response in await asyncio.gather(*(client.post(THREADS, json={}) for _ in range(20))):
                check_refused(response)
            release.set()
            await until(lambda: is_ready(client, True))
            assert (await client.post(THREADS, json={})).status_code == 200


@pytest.mark.parametrize(
    ("headers", "retry"),
    [({}, False), ({"Idempotency-Key": "mine"}, True), ({"X-Stainless-Retry-Count": "0"}, True)],
    ids=["plain", "with a key", "with a retry count"],
)
async def test_an_unconfirmed_write_is_retried_only_where_that_is_safe(headers: dict[str, str], retry: bool) -> None:
    async def create_thread(*_: object, **__: object) -> None:
        raise Unconfirmed("The connection was lost during the commit.")

    async with called(Stage(create_thread=create_thread)) as client:
        response = await client.post(THREADS, json={}, headers=headers)
    if retry:
        check_refused(response)
    else:
        assert response.status_code == 503
        assert response.headers["x-should-retry"] == "false"
        assert "retry-after" not in response.headers


async def test_the_log_has_no_traceback_of_an_outage(caplog: pytest.LogCaptureFixture) -> None:
    async def create_thread(*_: object, **__: object) -> None:
        raise Unreachable("cannot write to rs.db: database or disk is full")

    async with called(Stage(create_thread=create_thread)) as client:
        check_refused(await client.post(THREADS, json={}))
    assert caplog.records == []


async def test_the_retry_of_a_refused_request_is_not_taken_for_that_of_an_equal_one(tmp_path: Path) -> None:
    path = tmp_path / "rs.db"
    first, retry = {"X-Stainless-Retry-Count": "0"}, {"X-Stainless-Retry-Count": "1"}
    async with within(), in_file(path) as here, called(here.application) as client:
        mine = (await client.post(THREADS, json={}, headers=first)).json()["id"]
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            check_refused(await client.post(THREADS, json={}, headers=first))
        another = (await client.post(THREADS, json={}, headers=retry)).json()["id"]
        assert another != mine, "it is the thread of another caller"

        messages, said = f"{THREADS}/{mine}/messages", {"role": "user", "content": "Yes"}
        before = (await client.post(messages, json=said, headers=first)).json()["id"]
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            check_refused(await client.post(messages, json=said, headers=first))
        after = (await client.post(messages, json=said, headers=retry)).json()["id"]
        assert after != before, "it was said twice"
        assert (await client.post(messages, json=said, headers=retry)).json()["id"] == after, "this one is a retry"
