"""A statement that is a transaction by itself: it decides by the same committed state as a longer one."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace

from runstead.domain.run.change import Change
from runstead.store.port import Applied, RunRow, Stale, Tx
from runstead.store.postgres import PostgresStore
from runstead.wire.run import Status
from tests.store.postgres.conftest import Waiting
from tests.store.postgres.test_races import open_in
from tests.store.things import (
    MINE,
    add_runs,
    becomes,
    created,
    event,
    find_thread,
    keep_thread,
    message,
    newest_messages,
    run,
)


async def queue_run(tx: Tx) -> None:
    assert await tx.runs.queue_tail(MINE, "thread_1")
    await created(tx, MINE, run("run_2"), (), predecessor="run_1")


async def queue_message(tx: Tx) -> None:
    assert await tx.runs.queue_tail(MINE, "thread_1")
    await tx.messages.insert(MINE, [message()], "run_1")


async def end(store: PostgresStore, row: RunRow) -> Applied:
    done = Change(run=becomes(row.run, Status.COMPLETED), events=[event()])
    await store.read(find_thread())  # the connection is in use, so no BEGIN finds out whether it is alive
    return await store.write(lambda tx: tx.runs.apply(row, done, 1000), single=True)


async def newest(store: PostgresStore) -> list[str]:
    return [each.id for each in await store.read(lambda tx: newest_messages(tx, MINE, "thread_1", 10))]


@pytest.mark.parametrize("queue", [queue_run, queue_message])
async def test_a_run_that_is_queued_while_its_predecessor_ends_is_promoted(
    first: PostgresStore, second: PostgresStore, waiting: Waiting, queue: Callable[[Tx], Awaitable[None]]
) -> None:
    [row] = await add_runs(first, run())
    async with asyncio.TaskGroup() as group, open_in(first, queue):
        ending = group.create_task(end(second, row))
        await waiting(1)
    waited = await first.read(lambda tx: tx.runs.load("run_2"))
    assert ending.result().next == waited
    assert waited is None or waited.predecessor is None
    assert await newest(first) == ([] if queue is queue_run else ["msg_1"])


@pytest.mark.parametrize("queue", [queue_run, queue_message])
async def test_a_run_ends_by_itself_when_nothing_was_queued_after_all(
    first: PostgresStore, second: PostgresStore, waiting: Waiting, queue: Callable[[Tx], Awaitable[None]]
) -> None:
    [row] = await add_runs(first, run())
    async with asyncio.TaskGroup() as group, open_in(first, queue, undo=True):
        ending = group.create_task(end(second, row))
        await waiting(1)
    assert ending.result().next is None
    assert await first.read(lambda tx: tx.runs.load("run_1")) == ending.result().row


async def test_a_change_that_waits_for_another_one_is_stale(
    first: PostgresStore, second: PostgresStore, waiting: Waiting
) -> None:
    [row] = await add_runs(first, run())

    async def note(tx: Tx) -> None:
        await tx.runs.apply(row, Change(run=replace(row.run, metadata={"a": "b"})), 1000)

    async def refused() -> None:
        with pytest.raises(Stale):
            await end(second, row)

    async with asyncio.TaskGroup() as group, open_in(first, note):
        group.create_task(refused())
        await waiting(1)
    assert await first.read(lambda tx: tx.events.after("run_1", 0, 10)) == []


async def test_a_single_write_may_not_make_a_second_statement(first: PostgresStore) -> None:
    async def twice(tx: Tx) -> None:
        await keep_thread("thread_1")(tx)
        await keep_thread("thread_2")(tx)

    await first.read(find_thread())
    with pytest.raises(RuntimeError, match="one statement"):
        await first.write(twice, single=True)
    assert await first.read(find_thread("thread_2")) is None
    await first.write(keep_thread("thread_2"))


async def test_a_single_write_that_is_cancelled_leaves_its_connection_usable(
    first: PostgresStore, second: PostgresStore, waiting: Waiting
) -> None:
    [row] = await add_runs(first, run())
    async with asyncio.TaskGroup() as group, open_in(first, lambda tx: tx.runs.load("run_1")):
        ending = group.create_task(end(second, row))
        await waiting(1)
        ending.cancel()
        await asyncio.wait([ending])
    assert await second.read(lambda tx: tx.runs.load("run_1")) == row
