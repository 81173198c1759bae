"""Runs: one active a thread, one winner a version, and what workers look for."""

import asyncio
from functools import partial

import pytest

from runstead.store.port import RunRow, Stale, Store, ThreadBusy, Tx
from runstead.wire.error import RunsteadError
from runstead.wire.event import EventName, Position, RawEvent
from runstead.wire.options import MAX_AMOUNT
from runstead.wire.run import Status
from runstead.wire.struct import UNSET
from tests.store.things import MINE, THEIRS, add_runs, becomes, changed, created, event, run, thread

ACTIVE = [status for status in Status if not status.terminal]


async def test_a_new_run_is_version_1_and_has_its_events(store: Store) -> None:
    kept = run(metadata={"a": "b"})
    row = await store.write(lambda tx: created(tx, MINE, kept, [event(), event()]))
    assert row == RunRow(run=kept, project=MINE, version=1, seq=2)
    assert await store.read(lambda tx: tx.runs.get(MINE, "thread_1", "run_1")) == row


async def test_workers_load_a_run_of_any_project(store: Store) -> None:
    rows = await add_runs(store, run(), project=THEIRS)
    assert await store.read(lambda tx: tx.runs.load("run_1")) == rows[0]


@pytest.mark.parametrize("status", Status)
async def test_a_thread_has_one_active_run(store: Store, status: Status) -> None:
    await add_runs(store, run(status=status))
    if status in ACTIVE:
        with pytest.raises(ThreadBusy):
            await add_runs(store, run("run_2"))
        active = await store.read(lambda tx: tx.runs.active(MINE, "thread_1"))
        assert active == run(status=status)
        assert await store.read(lambda tx: tx.runs.load("run_2")) is None
    else:
        assert await store.read(lambda tx: tx.runs.active(MINE, "thread_1")) is None
        assert await add_runs(store, run("run_2"))
    assert await add_runs(store, run("run_3", thread_id="thread_2"))


async def test_of_two_runs_at_once_one_is_refused(store: Store) -> None:
    results = await asyncio.gather(add_runs(store, run("run_1")), add_runs(store, run("run_2")), return_exceptions=True)
    assert [type(result) for result in results if isinstance(result, Exception)] == [ThreadBusy]


async def test_the_id_of_a_run_is_its_own(store: Store) -> None:
    await add_runs(store, run(status=Status.COMPLETED))
    with pytest.raises(RunsteadError):
        await add_runs(store, run(thread_id="thread_2"))


async def test_a_change_writes_the_next_state(store: Store) -> None:
    [row] = await add_runs(store, run())
    taken = becomes(row.run, Status.IN_PROGRESS, started_at=101)
    moved = await store.write(lambda tx: changed(tx, row, taken, [event(EventName.RUN_IN_PROGRESS)], "worker-1"))
    assert moved == RunRow(run=taken, project=MINE, version=2, seq=1, owner="worker-1")
    assert await store.read(lambda tx: tx.runs.load("run_1")) == moved
    done = await store.write(lambda tx: changed(tx, moved, becomes(taken, Status.COMPLETED), ()))
    assert done.owner is None
    assert await store.read(lambda tx: tx.runs.load("run_1")) == done


async def test_a_change_of_an_old_version_is_stale_and_writes_nothing(store: Store) -> None:
    [old] = await add_runs(store, run())
    row = await store.write(lambda tx: changed(tx, old, becomes(old.run, Status.IN_PROGRESS), (), "worker-1"))
    with pytest.raises(Stale):
        await store.write(lambda tx: changed(tx, old, becomes(old.run, Status.EXPIRED), [event()]))
    assert await store.read(lambda tx: tx.runs.load("run_1")) == row
    assert await store.read(lambda tx: tx.events.after("run_1", 0, 10)) == []


async def test_of_eight_changes_of_one_version_one_is_applied(store: Store) -> None:
    [row] = await add_runs(store, run())

    async def claim(worker: str) -> RunRow:
        taken = becomes(row.run, Status.IN_PROGRESS)
        return await store.write(lambda tx: changed(tx, row, taken, [event()], worker))

    results = await asyncio.gather(*(claim(f"worker-{number}") for number in range(8)), return_exceptions=True)
    [won] = [result for result in results if isinstance(result, RunRow)]
    assert [type(result) for result in results].count(Stale) == 7
    assert await store.read(lambda tx: tx.runs.load("run_1")) == won
    assert len(await store.read(lambda tx: tx.events.after("run_1", 0, 10))) == 1


async def test_a_deleted_run_is_stale(store: Store) -> None:
    await store.write(lambda tx: tx.threads.insert(MINE, thread()))
    [row] = await add_runs(store, run())
    await store.write(lambda tx: tx.threads.delete(MINE, "thread_1", 100))
    with pytest.raises(Stale):
        await store.write(lambda tx: changed(tx, row, becomes(row.run, Status.IN_PROGRESS), ()))


async def test_queued_runs_come_in_the_order_of_their_creation_whatever_the_clocks_said(store: Store) -> None:
    runs = [run(f"run_{at}", at, f"thread_{at}") for at in (103, 101, 102)]
    await add_runs(store, *runs, run("run_busy", 100, status=Status.IN_PROGRESS))
    assert await store.read(lambda tx: tx.runs.claimable(None, 0, 10)) == ["run_103", "run_101", "run_102"]
    assert await store.read(lambda tx: tx.runs.claimable(None, 0, 2)) == ["run_103", "run_101"]


async def test_orphans_are_the_running_runs_of_an_unregistered_worker(store: Store) -> None:
    rows = await add_runs(store, *(run(f"run_{number}", thread_id=f"thread_{number}") for number in range(6)))
    owned = [
        (Status.IN_PROGRESS, "gone"),
        (Status.CANCELLING, "gone"),
        (Status.IN_PROGRESS, "here"),
        (Status.COMPLETED, "gone"),
        (Status.REQUIRES_ACTION, "gone"),
        (Status.QUEUED, None),
    ]

    async def work(tx: Tx) -> None:
        for row, (status, owner) in zip(rows, owned, strict=True):
            await changed(tx, row, becomes(row.run, status), (), UNSET if owner is None else owner)

    await store.write(work)
    await store.write(lambda tx: tx.workers.register("here", 10))
    assert await store.read(lambda tx: tx.runs.orphans(10)) == [("run_0", "gone"), ("run_1", "gone")]
    assert len(await store.read(lambda tx: tx.runs.orphans(1))) == 1
    assert await store.read(lambda tx: tx.runs.owned_by("here")) == ["run_2"]


async def test_overdue_runs_come_most_overdue_first(store: Store) -> None:
    kept: list[tuple[Status, int | None]] = [
        (Status.QUEUED, 30),
        (Status.IN_PROGRESS, 10),
        (Status.REQUIRES_ACTION, 20),
        (Status.CANCELLING, 40),
        (Status.QUEUED, None),
        (Status.EXPIRED, 5),
        (Status.FAILED, None),
    ]
    await add_runs(
        store,
        *(
            run(f"run_{number}", thread_id=f"thread_{number}", status=status, expires_at=deadline)
            for number, (status, deadline) in enumerate(kept)
        ),
    )
    assert await store.read(lambda tx: tx.runs.overdue(9, 10)) == []
    assert await store.read(lambda tx: tx.runs.overdue(30, 10)) == ["run_1", "run_2", "run_0"]
    assert await store.read(lambda tx: tx.runs.overdue(99, 1)) == ["run_1"]
    assert await store.read(lambda tx: tx.runs.next_deadline()) == 10


async def test_a_run_is_overdue_when_its_budget_of_time_is_used_up(store: Store) -> None:
    [first, second] = await add_runs(store, run(max_seconds=50), run("run_2", thread_id="thread_2", max_seconds=5000))
    assert await store.read(lambda tx: tx.runs.overdue(149, 10)) == []
    assert await store.read(lambda tx: tx.runs.overdue(150, 10)) == ["run_1"]
    assert await store.read(lambda tx: tx.runs.overdue(700, 10)) == ["run_1", "run_2"]
    assert await store.read(lambda tx: tx.runs.next_deadline()) == 150
    taken = becomes(first.run, Status.IN_PROGRESS)
    moved = await store.write(lambda tx: changed(tx, first, taken, (), "worker-1"))
    assert await store.read(lambda tx: tx.runs.to_stop("worker-1", 149, 10)) == []
    assert await store.read(lambda tx: tx.runs.to_stop("worker-1", 150, 10)) == ["run_1"]
    assert [row.overdue(150) for row in (first, moved, second)] == [True, True, False]


async def test_without_runs_there_is_no_deadline(store: Store) -> None:
    assert await store.read(lambda tx: tx.runs.next_deadline()) is None
    await add_runs(store, run(status=Status.EXPIRED))
    assert await store.read(lambda tx: tx.runs.next_deadline()) is None


async def test_events_are_numbered_on_whatever_position_they_carry(store: Store) -> None:
    names = [EventName.RUN_CREATED, EventName.RUN_QUEUED, EventName.RUN_IN_PROGRESS, EventName.RUN_COMPLETED]
    given = [RawEvent(Position(77, 7), name, b'{"n":%d}' % number) for number, name in enumerate(names)]
    row = await store.write(lambda tx: created(tx, MINE, run(), given[:2]))
    row = await store.write(lambda tx: changed(tx, row, becomes(row.run, Status.IN_PROGRESS), ()))
    row = await store.write(lambda tx: changed(tx, row, becomes(row.run, Status.COMPLETED), given[2:]))
    assert row.seq == 4
    expected = [RawEvent(Position(number), each.name, each.data) for number, each in enumerate(given, 1)]
    assert await store.read(lambda tx: tx.events.after("run_1", 0, 10)) == expected
    assert await store.read(lambda tx: tx.events.after("run_1", 1, 10)) == expected[1:]
    assert await store.read(lambda tx: tx.events.after("run_1", 3, 10)) == expected[3:]
    assert await store.read(lambda tx: tx.events.after("run_1", 4, 10)) == []
    assert await store.read(lambda tx: tx.events.after("run_2", 0, 10)) == []


async def test_events_come_in_parts_that_leave_none_out(store: Store) -> None:
    async def more(row: RunRow, size: int, tx: Tx) -> RunRow:
        return await changed(tx, row, row.run, [event()] * size)

    async def after(seq: int, tx: Tx) -> list[RawEvent]:
        return await tx.events.after("run_1", seq, 2)

    row = await store.write(lambda tx: created(tx, MINE, run(), [event(), event()]))
    for size in (1, 3, 2, 1):
        row = await store.write(partial(more, row, size))
    numbers: list[int] = []
    parts = 0
    while numbers[-1:] != [9]:
        last = numbers[-1] if numbers else 0
        part = await store.read(partial(after, last))
        numbers += [each.at.seq for each in part]
        parts += 1
        assert parts < 10
    assert numbers == list(range(1, 10))
    assert parts > 2


async def test_the_data_of_an_event_comes_back_byte_for_byte(store: Store) -> None:
    data = '{"text": "ü \\u0000 \\" ]",  "numbers": [1.0, 1e5]}'.encode()
    await store.write(lambda tx: created(tx, MINE, run(), [event(data=data)]))
    [kept] = await store.read(lambda tx: tx.events.after("run_1", 0, 1))
    assert kept.data == data
    assert type(kept.data) is bytes


async def test_a_run_may_have_the_largest_budget_of_seconds(store: Store) -> None:
    rows = await add_runs(store, run(status=Status.IN_PROGRESS, max_seconds=MAX_AMOUNT, expires_at=None))
    assert await store.read(lambda tx: tx.runs.overdue(2**60, 10)) == [rows[0].run.id]
