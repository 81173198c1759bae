"""The order of transactions when connections are few: runs that end go first, and no call waits for ever."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import asyncpg
import pytest

from runstead.store.port import Lane, Tx
from runstead.store.postgres import PostgresStore
from runstead.wire.error import Closed, RunsteadError, Unconfirmed, Unreachable
from tests.store.postgres.conftest import Make, Waiting
from tests.store.things import MINE, find_thread, keep_thread, message
from tests.support.postgres import server
from tests.support.waiting import within


@asynccontextmanager
async def held(admin: Any, store: PostgresStore, waiting: Waiting, most: int) -> AsyncIterator[list[Any]]:
    """All `most` connections of the store, each in a write that waits for a lock of another program."""
    await store.write(keep_thread("thread_held"))
    async with admin.transaction():
        await admin.execute("SELECT FROM threads FOR UPDATE")
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_result(store.write(find_thread("thread_held")))) for _ in range(most)]
            await waiting(most)
            yield tasks
            await admin.execute("SELECT 1")
            for task in tasks:
                task.cancel()


async def _result(coroutine: Any) -> Any:
    return (await asyncio.gather(coroutine, return_exceptions=True))[0]


async def test_closing_transactions_go_first_and_calls_and_runs_take_turns(make: Make) -> None:
    store = make(connections=1)
    await store.start()
    order: list[Lane] = []

    async def work(lane: Lane, _: Tx) -> None:
        order.append(lane)

    async with within(), asyncio.TaskGroup() as group:
        first = group.create_task(store.write(find_thread()))
        await asyncio.sleep(0)
        for lane in (*[Lane.RUN] * 4, *[Lane.CALL] * 2, *[Lane.CLOSING] * 3):
            group.create_task(store.write(partial(work, lane), lane=lane))
    assert first.done()
    call, run, closing = Lane.CALL, Lane.RUN, Lane.CLOSING
    assert order[:3] == [closing] * 3
    assert order[3:7] in ([call, run, call, run], [run, call, run, call])
    assert order[7:] == [run] * 2
    await store.stop()


async def test_a_call_whose_turn_does_not_come_is_refused_and_a_run_waits(
    make: Make, admin: Any, waiting: Waiting
) -> None:
    store = make(connections=2, patience=0.2)
    await store.start()
    async with within(), asyncio.TaskGroup() as group:
        async with held(admin, store, waiting, 2):
            run = group.create_task(store.write(keep_thread("thread_run"), lane=Lane.RUN))
            results = await asyncio.gather(
                *(store.write(keep_thread(f"thread_{number}")) for number in range(5)), return_exceptions=True
            )
            for result in results:
                assert type(result) is Unreachable
                assert "all 2 connections have been in use for 0.2 seconds" in str(result)
            with pytest.raises(Unreachable):
                await store.check()
            assert not run.done()
        await run
    assert await store.read(find_thread("thread_run"))
    assert await store.read(find_thread("thread_1")) is None
    await store.check()
    await store.stop()


async def test_maintenance_and_a_worker_s_lease_wait_for_no_run(make: Make, admin: Any, waiting: Waiting) -> None:
    store = make(connections=1)
    await store.start()
    async with within(), store.presence("worker_1") as presence:
        await presence.write(lambda tx: tx.workers.register("worker_1", 30))
        async with held(admin, store, waiting, 1):
            assert await store.read(lambda tx: tx.runs.orphans(1), lane=Lane.MAINTENANCE) == []
            assert await presence.write(lambda tx: tx.workers.heartbeat("worker_1", 30))
            assert not await presence.write(lambda tx: tx.workers.heartbeat("worker_2", 30))
            await presence.write(lambda tx: tx.workers.deregister("worker_1"))
    await store.stop()


async def test_a_presence_that_was_left_writes_nothing(first: PostgresStore) -> None:
    async with first.presence("worker_1") as presence:
        pass
    with pytest.raises(Unreachable, match="session is closed"):
        await presence.write(lambda tx: tx.workers.register("worker_1", 30))


async def test_a_statement_that_waits_too_long_for_a_lock_is_no_fault_of_the_caller(
    make: Make, admin: Any, waiting: Waiting
) -> None:
    store = make(connections=1)
    await store.start()
    await store.write(keep_thread())
    [connection] = store._connections._idle  # type: ignore[union-attr]
    await connection.session.script("SET statement_timeout = '100ms'")
    async with within(), admin.transaction():
        await admin.execute("SELECT FROM threads FOR UPDATE")
        with pytest.raises(Unreachable, match="statement timeout"):
            await store.write(find_thread())
    await store.write(find_thread())
    await store.stop()


async def test_stopping_ends_while_connections_are_held(make: Make, admin: Any, waiting: Waiting) -> None:
    store = make(connections=2)
    await store.start()
    async with within(), asyncio.TaskGroup() as group, held(admin, store, waiting, 2) as tasks:
        waits = group.create_task(_result(store.write(keep_thread(), lane=Lane.RUN)))
        await store.stop()
        results = [await task for task in [*tasks, waits]]
    assert all(isinstance(result, RunsteadError) for result in results)
    assert isinstance(results[-1], Closed)
    with pytest.raises(Closed):
        await store.write(keep_thread())


FULL = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN RAISE {condition} USING MESSAGE = ''No space left'', HINT = ''Check free disk space.''; END';
CREATE TRIGGER full_disk BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION full_disk();
"""


@pytest.mark.parametrize("condition", ["disk_full", "internal_error", "io_error"])
async def test_a_server_without_room_is_one_outage_that_reads_do_not_end(
    first: PostgresStore, admin: Any, caplog: pytest.LogCaptureFixture, condition: str
) -> None:
    await admin.execute(FULL.format(condition=condition))
    large = message()
    for _ in range(3):
        with pytest.raises(Unreachable, match="No space left") as refused:
            await first.write(lambda tx: tx.messages.insert(MINE, [large]))
        assert not isinstance(refused.value, Unconfirmed)
        assert await first.read(find_thread()) is None
    await admin.execute("DROP TRIGGER full_disk ON messages")
    await first.write(lambda tx: tx.messages.insert(MINE, [large]))
    began, over = [
        each.message for each in caplog.records if each.name == "runstead.store" and each.levelno == logging.WARNING
    ]
    assert began.startswith("the database has no room, trying again: postgresql://")
    assert over.startswith("the database can be written again after ")


async def test_a_user_without_privileges_may_make_the_check() -> None:
    admin = await asyncpg.connect(server().url)
    await admin.execute("DROP ROLE IF EXISTS plain; CREATE ROLE plain")
    await admin.execute("SET ROLE plain")
    await admin.execute("SELECT pg_logical_emit_message(true, 'runstead', '')")
    await admin.execute("RESET ROLE; DROP ROLE plain")
    await admin.close()


async def test_patience_begins_when_the_server_is_lost_and_not_while_waiting_for_a_turn(make: Make, admin: Any) -> None:
    store = make(connections=1, patience=0)  # any wait for a turn is longer
    await store.start()
    began, go = asyncio.Event(), asyncio.Event()

    async def slow(tx: Tx) -> None:
        await tx.threads.get(MINE, "thread_late")
        began.set()
        await go.wait()

    async with within(), asyncio.TaskGroup() as group:
        group.create_task(_result(store.read(slow)))
        await began.wait()
        late = group.create_task(store.write(keep_thread("thread_late"), lane=Lane.RUN))
        await asyncio.sleep(0)
        [row] = await admin.fetch("SELECT pid FROM pg_stat_activity WHERE application_name = 'runstead'")
        await admin.execute("SELECT pg_terminate_backend($1)", row["pid"])
        go.set()
        await late
    assert await store.read(find_thread("thread_late"))
    await store.stop()


async def test_a_server_that_refuses_new_connections_for_a_while_is_an_outage(schema: str, admin: Any) -> None:
    role = f"role_{schema}"
    await admin.execute(f"CREATE ROLE {role} SUPERUSER LOGIN PASSWORD 'any'")
    url = f"postgresql://{role}:any@{server().url.partition('@')[2]}"
    store = PostgresStore(url, schema=schema, patience=0.1)
    try:
        await store.start()
        await store.write(keep_thread())
        await admin.execute(f"ALTER ROLE {role} NOLOGIN")
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", role)
        await _result(store.write(keep_thread("thread_lost")))
        with pytest.raises(Unreachable, match="not permitted to log in"):
            await store.write(keep_thread("thread_refused"))
        await admin.execute(f"ALTER ROLE {role} LOGIN")
        await store.write(keep_thread("thread_after"))
        assert await store.read(find_thread("thread_refused")) is None
    finally:
        await store.stop()
        await admin.execute(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")


DEMOTED = """
CREATE FUNCTION demoted() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN RAISE read_only_sql_transaction USING MESSAGE = ''cannot execute INSERT in a read-only transaction''; END';
CREATE TRIGGER demoted BEFORE INSERT ON threads FOR EACH ROW EXECUTE FUNCTION demoted();
"""


@pytest.mark.parametrize("single", [False, True])
async def test_a_server_that_was_demoted_is_an_outage_and_its_connection_is_dropped(
    make: Make, admin: Any, single: bool
) -> None:
    store = make(patience=0.1)
    await store.start()
    await store.write(keep_thread(), single=single)
    [before] = store._connections._idle  # type: ignore[union-attr]
    await admin.execute(DEMOTED)
    with pytest.raises(Unreachable, match="read-only") as refused:
        await store.write(keep_thread("thread_refused"), single=single)
    assert not isinstance(refused.value, Unconfirmed)
    assert not before.session.usable
    await admin.execute("DROP TRIGGER demoted ON threads")
    await store.write(keep_thread("thread_after"), single=single)
    await store.stop()
