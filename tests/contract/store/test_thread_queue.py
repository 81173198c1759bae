"""Thread queues: runs that wait behind one another, and the messages that wait with them."""

from collections.abc import Sequence
from functools import partial

import pytest

from runstead.domain.run.change import Change
from runstead.store.port import RunRow, Stale, Store, ThreadBusy, Tx
from runstead.wire.run import Run, Status
from tests.store.things import (
    MINE,
    THEIRS,
    add_runs,
    asked,
    becomes,
    changed,
    created,
    event,
    message,
    newest_messages,
    remove_deleted,
    run,
    thread,
)


async def line(store: Store, *names: str) -> list[RunRow]:
    """Runs of a thread, each behind the one before."""

    async def work(tx: Tx) -> list[RunRow]:
        rows: list[RunRow] = []
        for name in names:
            behind = rows[-1].run.id if rows else None
            rows.append(await created(tx, MINE, run(name), [event()], predecessor=behind))
        return rows

    return await store.write(work)


async def end(store: Store, row: RunRow) -> RunRow | None:
    """A run ends; the run whose turn it is then."""
    done = Change(run=becomes(row.run, Status.COMPLETED))
    return (await store.write(lambda tx: tx.runs.apply(row, done, 1000))).next


async def ids(store: Store) -> list[str]:
    """The whole list of messages, oldest first."""
    page = await store.read(lambda tx: tx.messages.page(MINE, "thread_1", asked(100, "asc")))
    assert page is not None
    return [each.id for each in page.data]


async def joined(store: Store) -> list[str]:
    """The messages that have joined the thread, oldest first."""
    newest = await store.read(lambda tx: newest_messages(tx, MINE, "thread_1", 100))
    return [each.id for each in newest][::-1]


async def say(store: Store, *names: str, at: int = 100, predecessor: str | None = None) -> None:
    messages = [message(name, at) for name in names]
    await store.write(lambda tx: tx.messages.insert(MINE, messages, predecessor))


async def in_line(store: Store) -> list[Run]:
    async def work(tx: Tx) -> list[Run]:
        found: list[Run] = []
        row = await tx.runs.queue_head(MINE, "thread_1")
        while row is not None:
            found.append(row.run)
            row = await tx.runs.queue_successor(row.run.id)
        return found

    return await store.write(work)


async def test_a_run_that_waits_is_neither_active_nor_ready(store: Store) -> None:
    rows = await line(store, "run_1", "run_2")
    assert rows[1] == RunRow(run=run("run_2"), project=MINE, version=1, seq=1, predecessor="run_1")
    assert await store.read(lambda tx: tx.runs.load("run_2")) == rows[1]
    assert await store.read(lambda tx: tx.runs.active(MINE, "thread_1")) == run("run_1")
    assert await store.read(lambda tx: tx.runs.claimable(None, 0, 10)) == ["run_1"]
    with pytest.raises(ThreadBusy):
        await add_runs(store, run("run_3"))


async def test_a_thread_queue_has_a_head_successors_and_a_tail(store: Store) -> None:
    rows = await line(store, "run_1", "run_2", "run_3")
    await add_runs(store, run("run_4", thread_id="thread_2"))
    assert await in_line(store) == [row.run for row in rows]
    assert await store.read(lambda tx: tx.runs.queue_head(MINE, "thread_1")) == rows[0]
    assert await store.read(lambda tx: tx.runs.queue_successor("run_2")) == rows[2]
    assert await store.read(lambda tx: tx.runs.queue_successor("run_3")) is None
    assert await store.write(lambda tx: tx.runs.queue_tail(MINE, "thread_1")) == rows[2]


async def test_a_thread_without_an_active_run_has_no_queue(store: Store) -> None:
    await add_runs(store, run(status=Status.COMPLETED))
    assert await in_line(store) == []
    assert await store.write(lambda tx: tx.runs.queue_tail(MINE, "thread_1")) is None
    await line(store, "run_2")
    assert await store.write(lambda tx: tx.runs.queue_tail(THEIRS, "thread_1")) is None
    assert await store.write(lambda tx: tx.runs.queue_head(THEIRS, "thread_1")) is None


async def test_the_first_in_the_queue_is_promoted(store: Store) -> None:
    rows = await line(store, "run_1", "run_2", "run_3")
    given = await end(store, rows[0])
    assert given is not None
    assert (given.run, given.predecessor) == (rows[1].run, None)
    assert await store.read(lambda tx: tx.runs.load("run_2")) == given
    assert await store.read(lambda tx: tx.runs.claimable(None, 0, 10)) == ["run_2"]
    assert await in_line(store) == [rows[1].run, rows[2].run]
    assert await end(store, (await row_of(store, "run_2"))) is not None
    assert await end(store, (await row_of(store, "run_3"))) is None


async def row_of(store: Store, name: str) -> RunRow:
    row = await store.read(lambda tx: tx.runs.load(name))
    assert row is not None
    return row


async def test_a_run_that_was_promoted_meanwhile_is_stale(store: Store) -> None:
    rows = await line(store, "run_1", "run_2")
    await end(store, rows[0])
    with pytest.raises(Stale):
        await store.write(lambda tx: changed(tx, rows[1], becomes(rows[1].run, Status.EXPIRED), ()))


async def test_the_successor_of_a_queued_run_that_ends_is_queued_behind_its_predecessor(store: Store) -> None:
    rows = await line(store, "run_1", "run_2", "run_3")
    await say(store, "msg_1", predecessor="run_2")
    assert await end(store, rows[1]) is None
    assert await in_line(store) == [rows[0].run, rows[2].run]
    assert await joined(store) == []
    given = await end(store, rows[0])
    assert given is not None
    assert given.run == rows[2].run
    assert await joined(store) == ["msg_1"]


async def test_a_queued_run_that_is_changed_stays_in_the_queue(store: Store) -> None:
    rows = await line(store, "run_1", "run_2")
    noted = becomes(rows[1].run, Status.QUEUED, metadata={"a": "b"})
    moved = await store.write(lambda tx: changed(tx, rows[1], noted, ()))
    assert moved.predecessor == "run_1"
    assert await in_line(store) == [rows[0].run, noted]
    assert await store.read(lambda tx: tx.runs.claimable(None, 0, 10)) == ["run_1"]


async def test_a_run_that_waits_is_overdue_when_its_time_is_up(store: Store) -> None:
    await line(store, "run_1", "run_2")
    assert sorted(await store.read(lambda tx: tx.runs.overdue(700, 10))) == ["run_1", "run_2"]
    assert len(await store.read(lambda tx: tx.runs.overdue(700, 1))) == 1


@pytest.mark.parametrize("said", [["msg_2"], []])
async def test_messages_that_wait_stand_at_the_end_and_join_there(store: Store, said: Sequence[str]) -> None:
    rows = await line(store, "run_1", "run_2")
    await say(store, *(["msg_1"] if said else []), at=100)
    await say(store, "msg_3", "msg_4", at=101, predecessor="run_1")
    await say(store, "msg_5", at=102, predecessor="run_2")
    await say(store, *said, at=150)
    before = ["msg_1", "msg_2"] if said else []
    assert await ids(store) == [*before, "msg_3", "msg_4", "msg_5"]
    assert await joined(store) == before
    await end(store, rows[0])
    await say(store, "msg_6", at=160)
    assert await ids(store) == [*before, "msg_3", "msg_4", "msg_6", "msg_5"]
    assert await joined(store) == [*before, "msg_3", "msg_4", "msg_6"]
    kept = await store.read(lambda tx: tx.messages.get(MINE, "thread_1", "msg_3"))
    assert kept == message("msg_3", 101)


async def test_a_queued_message_is_replaced_and_deleted_as_any_message(store: Store) -> None:
    [row] = await line(store, "run_1")
    await say(store, "msg_1", "msg_2", predecessor="run_1")
    assert await store.write(lambda tx: tx.messages.replace(MINE, message("msg_1", metadata={"a": "b"})))
    assert await store.write(lambda tx: tx.messages.delete(MINE, "thread_1", "msg_2"))
    await end(store, row)
    assert await store.read(lambda tx: tx.messages.get(MINE, "thread_1", "msg_1")) == message(
        "msg_1", metadata={"a": "b"}
    )
    assert await joined(store) == ["msg_1"]


async def test_a_run_inserted_first_in_the_queue_keeps_the_messages_of_others_behind_them(store: Store) -> None:
    [head] = await line(store, "run_1")
    await say(store, "msg_1", predecessor="run_1")

    async def bring(name: str, said: str, predecessor: str, tx: Tx) -> RunRow:
        if name == "run_4":
            await tx.runs.insert_after(name, predecessor)
        change = Change(run=run(name), new_messages=[message(said)])
        return (await tx.runs.create(MINE, change, predecessor)).row

    second = await store.write(partial(bring, "run_2", "msg_2", "run_1"))
    third = await store.write(partial(bring, "run_3", "msg_3", "run_2"))
    fourth = await store.write(partial(bring, "run_4", "msg_4", "run_1"))
    assert await in_line(store) == [head.run, fourth.run, second.run, third.run]
    expected = ["msg_1", "msg_4", "msg_2", "msg_3"]
    for place, name in enumerate(("run_1", "run_4", "run_2", "run_3")):
        await end(store, await row_of(store, name))
        assert await joined(store) == (["msg_1", "msg_4"] if place == 0 else expected[: place + 2])


async def test_a_thread_is_deleted_with_its_queue(store: Store) -> None:
    await store.write(lambda tx: tx.threads.insert(MINE, thread()))
    await line(store, "run_1", "run_2")
    await say(store, "msg_1", predecessor="run_1")
    await store.write(lambda tx: tx.threads.delete(MINE, "thread_1", 100))
    await remove_deleted(store)
    assert await store.read(lambda tx: tx.runs.load("run_2")) is None
    assert await store.read(lambda tx: tx.messages.get(MINE, "thread_1", "msg_1")) is None
