"""The ledger: everything that is stored of runs, in parts that leave nothing out."""

from runstead.domain.invariants.record import LedgerPage, RunRecord
from runstead.store.port import Store, Tx
from runstead.wire.event import EventName
from runstead.wire.run import Status
from tests.store.things import MINE, THEIRS, add_runs, becomes, changed, created, event, message, run, step_row, thread

DATA = b'{"id":"run_1","created_at":1,"thread_id":"t","assistant_id":"a","status":"queued","model":"m"}'


async def leaf(store: Store, after: str = "", limit: int = 10) -> LedgerPage:
    return await store.read(lambda tx: tx.ledger.page(after, limit))


async def record(store: Store, run_id: str) -> RunRecord:
    [found] = [each for each in (await leaf(store)).records if each.run.id == run_id]
    return found


async def test_runs_of_all_projects_come_in_parts_by_their_ids(store: Store) -> None:
    runs = [run(f"run_{number}", thread_id=f"thread_{number}") for number in (2, 4, 1, 3, 5)]
    await add_runs(store, *runs[:3])
    await add_runs(store, *runs[3:], project=THEIRS)
    parts: list[list[str]] = []
    after: str | None = ""
    while after is not None:
        part = await leaf(store, after, 2)
        parts.append([each.run.id for each in part.records])
        after = part.last
    assert parts == [["run_1", "run_2"], ["run_3", "run_4"], ["run_5"]]
    assert (await record(store, "run_5")).project == THEIRS


async def test_a_run_comes_with_all_that_belongs_to_it(store: Store) -> None:
    async def work(tx: Tx) -> None:
        await tx.threads.insert(MINE, thread())
        row = await created(tx, MINE, run(max_seconds=50), [event(data=DATA), event(data=DATA)])
        await changed(tx, row, becomes(row.run, Status.IN_PROGRESS), [event(EventName.RUN_IN_PROGRESS, DATA)], "here")
        await tx.steps.insert(MINE, step_row("step_1"))
        await tx.steps.insert(THEIRS, step_row("step_2", at=101))
        await tx.messages.insert(MINE, [message("msg_1", run_id="run_1"), message("msg_2")])
        await tx.messages.insert(MINE, [message("msg_3")], predecessor="run_1")
        await tx.workers.register("here", 10)

    await store.write(work)
    found = await record(store, "run_1")
    assert (found.run.status, found.status, found.last_event, found.deadline) == ("in_progress", "in_progress", 3, 150)
    assert (found.owner, found.owner_alive, found.has_thread, found.other_active_run) == ("here", True, True, None)
    assert [(batch.first, batch.last, len(batch.events)) for batch in found.event_batches] == [(1, 2, 2), (3, 3, 1)]
    assert [each.event for each in found.events] == [
        "thread.run.queued",
        "thread.run.queued",
        "thread.run.in_progress",
    ]
    assert [each.id for each in found.steps] == ["step_1", "step_2"]
    assert [each.id for each in found.messages] == ["msg_1"]
    assert (found.waiting_messages, found.in_other_project) == (["msg_3"], ["step_2"])
    await store.write(lambda tx: tx.workers.deregister("here"))
    assert not (await record(store, "run_1")).owner_alive


async def test_a_queued_run_comes_with_its_predecessor(store: Store) -> None:
    async def work(tx: Tx) -> None:
        await created(tx, MINE, run(), ())
        await created(tx, MINE, run("run_2"), (), predecessor="run_1")
        await created(tx, MINE, run("run_3", thread_id="thread_2"), (), predecessor="run_1")

    await store.write(work)
    second, third = await record(store, "run_2"), await record(store, "run_3")
    assert (second.status, second.predecessor, second.predecessor_status, second.other_active_run) == (
        "waiting",
        "run_1",
        "queued",
        "run_1",
    )
    assert (third.predecessor, third.predecessor_status, third.has_thread) == ("run_1", None, False)


async def test_rows_without_a_run_are_found_before_between_and_behind_the_runs(store: Store) -> None:
    async def work(tx: Tx) -> None:
        await created(tx, MINE, run("run_2"), ())
        await created(tx, MINE, run("run_4", thread_id="thread_2"), ())
        await tx.steps.insert(MINE, step_row("step_1", run_id="run_1"))
        await tx.messages.insert(MINE, [message("msg_1", run_id="run_3")])
        await tx.messages.insert(MINE, [message("msg_2")], predecessor="run_5")

    await store.write(work)
    first, second, third = await leaf(store, "", 1), await leaf(store, "run_2", 1), await leaf(store, "run_4", 1)
    said = [[str(each) for each in part.violations] for part in (first, second, third)]
    assert said == [
        ["run_1: there is no such run, and step step_1 belongs to it"],
        ["run_3: there is no such run, and message msg_1 belongs to it"],
        ["run_5: there is no such run, and waiting message msg_2 belongs to it"],
    ]
    assert (first.last, second.last, third.last) == ("run_2", "run_4", None)


async def test_unreadable_rows_are_reported_and_skipped(store: Store) -> None:
    async def work(tx: Tx) -> None:
        await created(tx, MINE, run(), [event(data=b'{"id":"run_1"}')])
        await created(tx, MINE, run("run_2", thread_id="thread_2"), [event(data=DATA)])

    await store.write(work)
    part = await leaf(store)
    assert [each.run.id for each in part.records] == ["run_2"]
    [violation] = part.violations
    assert str(violation).startswith("run_1: its row cannot be read: Object missing required field")
