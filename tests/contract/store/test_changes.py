"""The one gate of runs: a change is written whole, and fields that it does not set stay as they are."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from runstead.domain.run.change import Change
from runstead.domain.run.journal import from_wire
from runstead.engine.resources.project import Project
from runstead.store.port import RunRow, Stale, Store, Tx
from runstead.wire.event import EventName
from runstead.wire.run import Status
from runstead.wire.webhook import Webhook
from tests.store.things import (
    MINE,
    add_runs,
    asked,
    becomes,
    created,
    event,
    message,
    newest_messages,
    run,
    step,
    thread,
)
from tests.support.worlds import adapters_of


async def row_of(store: Store, run_id: str = "run_1") -> RunRow:
    row = await store.read(lambda tx: tx.runs.load(run_id))
    assert row is not None
    return row


async def say(store: Store, row: RunRow, **fields: Any) -> RunRow:
    """The run as it is, but for what is said."""
    return (await store.write(lambda tx: tx.runs.apply(row, Change(run=row.run, **fields), 1000))).row


STATES: Mapping[str, Mapping[str, Any]] = {
    "owned": {"status": Status.IN_PROGRESS, "owner": "worker"},
    "stopping": {"status": Status.CANCELLING, "owner": "worker"},
    "delayed": {"status": Status.QUEUED, "ready_at": 5000},
    "waiting": {"status": Status.QUEUED, "predecessor": "run_0"},
    "paused": {"status": Status.REQUIRES_ACTION},
}


async def in_state(store: Store, status: Status, predecessor: str | None = None, **fields: Any) -> RunRow:
    if predecessor is not None:
        await add_runs(store, run(predecessor))
    row = await store.write(lambda tx: created(tx, MINE, run(), (), predecessor=predecessor))
    return await say(store, replace(row, run=becomes(row.run, status)), **fields)


@pytest.mark.parametrize("state", STATES)
async def test_a_change_that_says_nothing_changes_nothing_but_the_version(store: Store, state: str) -> None:
    before = await in_state(store, **STATES[state])
    await say(store, before)
    assert await row_of(store) == replace(before, version=before.version + 1)


@pytest.mark.parametrize("state", STATES)
async def test_metadata_keep_everything_else_of_a_run(store: Store, state: str) -> None:
    await store.write(lambda tx: tx.threads.insert(MINE, thread()))
    before = await in_state(store, **STATES[state])
    await Project(adapters_of(store=store), MINE).update_run("thread_1", "run_1", {"a": "b"})
    noted = becomes(before.run, before.run.status, metadata={"a": "b"})
    assert await row_of(store) == replace(before, run=noted, version=before.version + 1)


async def test_metadata_of_an_open_message_keep_the_owner_of_its_run(store: Store) -> None:
    await store.write(lambda tx: tx.threads.insert(MINE, thread()))
    row = await in_state(store, Status.IN_PROGRESS, owner="worker")
    opened = message(run_id="run_1", status="in_progress")
    row = await say(store, row, new_messages=[opened])
    await Project(adapters_of(store=store), MINE).update_message("thread_1", "msg_1", {"a": "b"})
    assert await row_of(store) == replace(row, version=row.version + 1)
    kept = await store.read(lambda tx: tx.messages.get(MINE, "thread_1", "msg_1"))
    assert kept == replace(opened, metadata={"a": "b"})


@pytest.mark.parametrize("status", [status for status in Status if status not in {Status.IN_PROGRESS, "cancelling"}])
async def test_a_run_that_is_not_at_work_has_no_owner(store: Store, status: Status) -> None:
    row = await in_state(store, Status.IN_PROGRESS, owner="worker")
    assert (await say(store, replace(row, run=becomes(row.run, status)))).owner is None
    assert (await row_of(store)).owner is None


async def test_a_cancelled_run_keeps_its_owner(store: Store) -> None:
    row = await in_state(store, Status.IN_PROGRESS, owner="worker")
    await say(store, replace(row, run=becomes(row.run, Status.CANCELLING)))
    assert (await row_of(store)).owner == "worker"


def whole(row: RunRow) -> Change:
    """A change of every part that a run has."""
    return Change(
        run=becomes(row.run, Status.COMPLETED),
        new_steps=[from_wire(step("step_2"))],
        steps=[from_wire(step("step_1", status="completed"))],
        new_messages=[message("msg_2", run_id="run_1"), message("msg_3", run_id="run_1")],
        messages=[message("msg_1", run_id="run_1", metadata={"a": "b"})],
        events=[event(EventName.MESSAGE_COMPLETED), event(EventName.RUN_COMPLETED)],
    )


async def open_run(store: Store) -> RunRow:
    hook = Webhook(
        id="webhook_1", created_at=1, updated_at=1, url="https://example.com", event_types=["thread.run.completed"]
    )
    await store.write(lambda tx: tx.webhooks.insert(MINE, hook))
    row = await in_state(store, Status.IN_PROGRESS, owner="worker")
    return await say(
        store,
        row,
        new_steps=[from_wire(step("step_1"))],
        new_messages=[message("msg_1", run_id="run_1")],
        events=[event()],
    )


async def all_of(store: Store) -> list[object]:
    async def work(tx: Tx) -> list[object]:
        messages = await tx.messages.page(MINE, "thread_1", asked(20, "asc"))
        deliveries = await tx.webhooks.deliveries(MINE, "webhook_1", asked())
        return [
            await tx.runs.load("run_1"),
            await tx.steps.of_run("run_1"),
            messages,
            [each.name for each in await tx.events.after("run_1", 0, 10)],
            deliveries,
        ]

    return await store.read(work)


@pytest.mark.parametrize("single", [False, True])
async def test_a_change_is_written_whole(store: Store, single: bool) -> None:
    row = await open_run(store)
    change = whole(row)
    applied = await store.write(lambda tx: tx.runs.apply(row, change, 1000), single=single)
    assert applied.next is None
    kept, steps, messages, events, deliveries = await all_of(store)
    assert kept == applied.row == row.after(change)
    assert steps == [*change.steps, *change.new_steps]
    assert messages.data == [*change.messages, *change.new_messages]  # type: ignore[attr-defined]
    assert events == [EventName.RUN_QUEUED, EventName.MESSAGE_COMPLETED, EventName.RUN_COMPLETED]
    [delivery] = deliveries.data  # type: ignore[attr-defined]
    assert (delivery.id, delivery.event_type, delivery.next_attempt_at) == ("evt_1_3", "thread.run.completed", 1000)


@pytest.mark.parametrize("single", [False, True])
async def test_of_a_change_that_is_stale_nothing_is_written(store: Store, single: bool) -> None:
    row = await open_run(store)
    await say(store, row)
    before = await all_of(store)
    with pytest.raises(Stale):
        await store.write(lambda tx: tx.runs.apply(row, whole(row), 1000), single=single)
    assert await all_of(store) == before


@pytest.mark.parametrize("single", [False, True])
async def test_the_run_that_waits_has_its_turn_by_the_change_that_ends_the_other(store: Store, single: bool) -> None:
    row = await open_run(store)
    second = await store.write(lambda tx: created(tx, MINE, run("run_2"), (), predecessor="run_1"))
    await store.write(lambda tx: tx.messages.insert(MINE, [message("msg_9")], "run_1"))
    applied = await store.write(lambda tx: tx.runs.apply(row, whole(row), 1000), single=single)
    assert applied.next == replace(second, predecessor=None, version=2)
    assert await row_of(store, "run_2") == applied.next
    newest = await store.read(lambda tx: newest_messages(tx, MINE, "thread_1", 1))
    assert [each.id for each in newest] == ["msg_9"]


@pytest.mark.parametrize("single", [False, True])
async def test_of_eight_changes_of_one_version_one_is_written(store: Store, single: bool) -> None:
    row = await open_run(store)
    results = await asyncio.gather(
        *(store.write(lambda tx: tx.runs.apply(row, whole(row), 1000), single=single) for _ in range(8)),
        return_exceptions=True,
    )
    assert [type(result) for result in results].count(Stale) == 7
    assert (await row_of(store)).seq == 3


async def test_a_read_that_makes_more_statements_than_one_sees_one_state(store: Store) -> None:
    await store.write(lambda tx: tx.threads.insert(MINE, thread()))

    async def twice(tx: Tx) -> list[object]:
        return [await tx.threads.get(MINE, "thread_1"), await tx.threads.get(MINE, "thread_1")]

    for _ in range(2):
        assert await store.read(twice, single=True) == [thread(), thread()]
