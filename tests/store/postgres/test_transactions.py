"""Promises of transactions beyond the contract: order, no more than so many, and no trace of those undone."""

import asyncio
from functools import partial
from typing import Any

import pytest

from runstead.store.port import Tx
from runstead.store.postgres import PostgresStore
from runstead.wire.error import RunsteadError
from tests.store.postgres.conftest import Make, Waiting
from tests.store.things import MINE, find_thread, keep_thread, thread
from tests.support.waiting import until, within


@pytest.mark.parametrize("most", [1, 3])
async def test_no_more_than_so_many_are_open_and_the_rest_wait_in_order(make: Make, most: int) -> None:
    store = make(connections=most)
    await store.start()
    began: list[int] = []
    open_now: list[int] = []

    async def work(number: int, tx: Tx) -> None:
        began.append(number)
        open_now.append(number)
        assert len(open_now) <= most
        await tx.threads.insert(MINE, thread(f"thread_{number}"))
        open_now.remove(number)

    async with within(), asyncio.TaskGroup() as group:
        for number in range(60):
            group.create_task(store.write(partial(work, number)))
    assert sorted(began) == list(range(60))
    assert began == sorted(began) or most > 1  # those that are open at once begin in any order
    await store.stop()


async def test_a_transaction_inside_another_is_an_error_and_writes_nothing(first: PostgresStore) -> None:
    async def work(tx: Tx) -> None:
        await tx.threads.insert(MINE, thread())
        await first.write(keep_thread("thread_within"))

    with pytest.raises(RuntimeError, match="nothing but the methods of its tx"):
        await first.write(work)
    assert await first.read(find_thread()) is None
    assert await first.read(find_thread("thread_within")) is None


async def test_a_caller_that_goes_away_leaves_nothing_open(first: PostgresStore, admin: Any, waiting: Waiting) -> None:
    await first.write(keep_thread())
    async with within():
        async with admin.transaction():
            await admin.execute("SELECT FROM threads FOR UPDATE")
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(first.write(find_thread())) for _ in range(16)]
                await waiting(16)
                for task in tasks:
                    task.cancel()
            await waiting(0)
        await asyncio.gather(*(first.write(keep_thread(f"later_{number}")) for number in range(32)))
    stuck = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'runstead' AND state LIKE 'idle in%'"
    assert await admin.fetchval(stuck) == 0


async def test_a_caller_that_goes_away_at_any_moment_leaves_nothing_open(make: Make, admin: Any) -> None:
    store = make(connections=1)
    await store.start()
    await store.write(keep_thread())
    mine = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'runstead'"

    async def closed() -> bool:
        return bool(await admin.fetchval(f"{mine} AND state LIKE 'idle in%'") == 0)

    async with within():
        for steps in range(60):
            async with asyncio.TaskGroup() as group:
                task = group.create_task(store.read(find_thread()))
                for _ in range(steps):
                    await asyncio.sleep(0)
                task.cancel()
            async with within(2):  # what was cut the server has yet to notice; what was left open lasts for longer
                await until(closed)
            assert await store.read(find_thread())
    await store.stop()

    async def gone() -> bool:
        return bool(await admin.fetchval(mine) == 0)

    await until(gone)


async def test_a_statement_that_failed_cannot_be_swallowed(first: PostgresStore) -> None:
    async def work(tx: Tx) -> None:
        await tx.threads.insert(MINE, thread("thread_2"))
        try:
            await tx.threads.insert(MINE, thread("thread_2"))
        except Exception:  # noqa: BLE001 - this is what it must not do
            return

    with pytest.raises(RunsteadError, match="cannot write to postgresql://.*a statement had failed"):
        await first.write(work)
    assert await first.read(find_thread("thread_2")) is None


async def test_a_read_cannot_write(first: PostgresStore) -> None:
    with pytest.raises(RunsteadError, match="cannot read postgresql://.*read-only transaction"):
        await first.read(keep_thread())
    assert await first.read(find_thread()) is None


async def test_a_read_holds_nothing(first: PostgresStore, admin: Any) -> None:
    await first.write(keep_thread())
    async with within(), admin.transaction():
        await admin.execute("SELECT FROM threads FOR UPDATE")
        assert await first.read(find_thread())


async def test_a_timeout_of_the_work_is_its_own(first: PostgresStore) -> None:
    async def work(tx: Tx) -> None:
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        await first.write(work)


@pytest.mark.parametrize(("given", "kept"), [("off", "on"), ("local", "on"), ("remote_apply", "remote_apply")])
async def test_a_commit_is_on_disk_whatever_the_database_is_set_to(
    make: Make, admin: Any, given: str, kept: str
) -> None:
    await admin.execute(f"ALTER ROLE postgres SET synchronous_commit = {given}")
    try:
        store = make()
        await store.start()
        await store.write(keep_thread())
        [connection] = store._connections._idle  # type: ignore[union-attr]
        assert await connection.session.row("SHOW synchronous_commit") == (kept,)
        await store.stop()
    finally:
        await admin.execute("ALTER ROLE postgres RESET synchronous_commit")
