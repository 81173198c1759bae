"""The server stops and comes back: nothing acknowledged is lost, and no process has to be restarted."""

import asyncio
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from runstead.store.port import Tx
from runstead.store.postgres import PostgresStore
from runstead.wire.error import RunsteadError, Unreachable
from tests.store.things import MINE, find_thread, keep_thread, thread
from tests.support.postgres import Server
from tests.support.waiting import until, within


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of the test's own."""
    own = Server()
    own.start()
    yield own
    own.remove()


async def in_thread(step: Any) -> None:
    await asyncio.get_running_loop().run_in_executor(None, step)


async def restart(server: Server) -> None:
    await in_thread(server.kill)
    await in_thread(server.start)


async def test_every_acknowledged_write_survives_a_server_killed_under_load(server: Server) -> None:
    store = PostgresStore(server.url)
    await store.start()
    acknowledged: list[str] = []
    refused: list[str] = []
    over = asyncio.Event()

    async def write(writer: int) -> None:
        number = 0
        while not over.is_set():
            id, number = f"thread_{writer}_{number}", number + 1
            try:
                await store.write(keep_thread(id))
                acknowledged.append(id)
            except RunsteadError as error:
                refused.append(str(error))

    async with within(40), asyncio.TaskGroup() as group:
        for writer in range(8):
            group.create_task(write(writer))
        for turn in range(1, 4):
            so_far = len(acknowledged)
            await until(lambda enough=so_far + 100 * turn: len(acknowledged) >= enough)
            await restart(server)
        so_far = len(acknowledged)
        await until(lambda: len(acknowledged) >= so_far + 100)
        over.set()
    for id in acknowledged:
        assert await store.read(find_thread(id)), f"{id} was acknowledged and is gone"
    assert all("may be done or not" in words for words in refused)
    await store.stop()


@pytest.mark.parametrize("end", ["kill", "stop"])
async def test_work_that_was_certainly_not_committed_is_retried(server: Server, end: str) -> None:
    store = PostgresStore(server.url, patience=15)
    await store.start()
    times, opened = 0, asyncio.Event()

    async def work(tx: Tx) -> int:
        nonlocal times
        times += 1
        await tx.threads.insert(MINE, thread())
        if times == 1:
            opened.set()
            await gone.wait()
        await tx.threads.insert(MINE, thread("thread_2"))
        return times

    gone = asyncio.Event()
    async with within(), asyncio.TaskGroup() as group:
        writing = group.create_task(store.write(work))
        await opened.wait()
        await in_thread(getattr(server, end))
        gone.set()
        await in_thread(server.start)
    assert writing.result() == 2
    assert await store.read(find_thread())
    assert await store.read(find_thread("thread_2"))
    await store.stop()


async def test_a_commit_without_an_answer_is_an_error_that_says_it_is_unknown(server: Server) -> None:
    store = PostgresStore(server.url)
    await store.start()
    admin = await asyncpg.connect(server.url, server_settings={"search_path": "runstead"})
    await admin.execute("""
        CREATE FUNCTION dwell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(20); RETURN NULL; END';
        CREATE CONSTRAINT TRIGGER dwell AFTER INSERT ON threads DEFERRABLE INITIALLY DEFERRED
               FOR EACH ROW EXECUTE FUNCTION dwell();
    """)

    async def committing() -> bool:
        sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query = 'COMMIT'"
        return bool(await admin.fetchval(sleeping))

    async with within():
        writing = asyncio.gather(store.write(keep_thread()), return_exceptions=True)
        await until(committing)
        await admin.close()
        await restart(server)
        [error] = await writing
    assert isinstance(error, RunsteadError)
    assert "lost during the commit, so it may be done or not" in str(error)
    assert await store.read(find_thread()) is None
    await store.stop()


async def test_connections_that_were_cut_while_idle_are_replaced_silently(server: Server) -> None:
    store = PostgresStore(server.url)
    await store.start()
    await asyncio.gather(*(store.write(keep_thread(f"thread_{number}")) for number in range(16)))
    admin = await asyncpg.connect(server.url)
    await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'runstead'")
    await admin.close()
    await asyncio.gather(*(store.write(keep_thread(f"later_{number}")) for number in range(16)))
    await store.stop()


async def test_a_server_that_stays_away_is_an_error_and_one_that_comes_back_is_not(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    store = PostgresStore(server.url, patience=0.3)
    await store.start()
    await in_thread(server.stop)
    results = await asyncio.gather(
        *(store.write(keep_thread(f"thread_{number}")) for number in range(20)),
        store.read(find_thread()),
        return_exceptions=True,
    )
    for result in results:
        assert isinstance(result, Unreachable)
        assert str(result).startswith(("cannot write to postgresql://", "cannot read postgresql://"))
    await in_thread(server.start)
    await store.write(keep_thread())
    assert await store.read(find_thread())
    await store.stop()
    [away, back] = [record.message for record in caplog.records if record.name == "runstead.store"]
    assert away.startswith("cannot reach the database, trying again: postgresql://"), "once, though 21 waited"
    assert back.startswith("the database is back after ")


async def test_a_store_waits_for_a_server_that_starts_after_it(server: Server) -> None:
    await in_thread(server.stop)
    store = PostgresStore(server.url, patience=15)
    async with within(), asyncio.TaskGroup() as group:
        group.create_task(store.start())
        await asyncio.sleep(0)
        await in_thread(server.start)
    await store.write(keep_thread())
    await store.stop()


async def test_a_store_without_a_server_raises(server: Server) -> None:
    await in_thread(server.stop)
    store = PostgresStore(server.url, patience=0.1)
    with pytest.raises(RunsteadError, match="cannot open postgresql://"):
        await store.start()
    await store.stop()
