"""Two processes on one database: conflicting transactions are serialized, and nothing is lost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import msgspec
import pytest

from runstead.engine.resources.project import Project
from runstead.store.port import RunRow, Stale, ThreadBusy, Tx
from runstead.store.postgres import PostgresStore
from runstead.wire.assistant import AssistantRequest
from runstead.wire.error import BadRequest, NotFound, RunsteadError
from runstead.wire.message import MessageRequest
from runstead.wire.run import Run, RunRequest, Status
from tests.store.postgres.conftest import Waiting
from tests.store.things import (
    MINE,
    add_runs,
    assistant,
    becomes,
    changed,
    created,
    event,
    find_thread,
    keep_thread,
    message,
    run,
    step_row,
    thread,
)
from tests.support.waiting import within
from tests.support.worlds import adapters_of


class Undone(Exception):
    """An exception of a work, which undoes it."""


@asynccontextmanager
async def open_in(
    store: PostgresStore, work: Callable[[Tx], Awaitable[object]], *, undo: bool = False
) -> AsyncIterator[None]:
    """A transaction that has done its work, and ends only when the block does."""
    done, end = asyncio.Event(), asyncio.Event()

    async def held(tx: Tx) -> None:
        await work(tx)
        done.set()
        await end.wait()
        if undo:
            raise Undone

    async def ended() -> None:
        with suppress(Undone):
            await store.write(held)

    async with within(), asyncio.TaskGroup() as group:
        group.create_task(ended())
        await done.wait()
        try:
            yield
        finally:
            end.set()


async def count(tx: Tx) -> None:
    """One more in the metadata of everything."""
    held = await tx.threads.get(MINE, "thread_1")
    kept = await tx.assistants.get(MINE, "asst_1")
    said = await tx.messages.get(MINE, "thread_1", "msg_1")
    assert held
    assert kept
    assert said
    await tx.threads.replace(MINE, thread(metadata=more(held)))
    await tx.assistants.replace(MINE, assistant(metadata=more(kept.assistant)))
    await tx.messages.replace(MINE, message(metadata=more(said)))


async def count_assistant(tx: Tx) -> None:
    kept = await tx.assistants.get(MINE, "asst_1")
    assert kept
    await tx.assistants.replace(MINE, assistant(metadata=more(kept.assistant)))


def more(item: Any) -> dict[str, str]:
    return {"n": str(int(item.metadata.get("n", 0)) + 1)}


async def everything(tx: Tx) -> None:
    await tx.threads.insert(MINE, thread())
    await tx.assistants.insert(MINE, assistant())
    await tx.messages.insert(MINE, [message()])


@pytest.mark.parametrize("work", [count, count_assistant])
async def test_counts_of_two_processes_add_up(
    first: PostgresStore, second: PostgresStore, work: Callable[[Tx], Awaitable[None]]
) -> None:
    await first.write(everything)
    await asyncio.gather(*(store.write(work) for _ in range(25) for store in (first, second)))
    kept = await first.read(lambda tx: tx.assistants.get(MINE, "asst_1"))
    assert kept is not None
    assert kept.assistant.metadata == {"n": "50"}


async def test_a_work_that_was_overtaken_reads_again(first: PostgresStore, second: PostgresStore) -> None:
    await first.write(everything)
    read, replaced = asyncio.Event(), asyncio.Event()
    times = 0

    async def slow(tx: Tx) -> None:
        nonlocal times
        times += 1
        kept = await tx.assistants.get(MINE, "asst_1")
        assert kept
        read.set()
        await replaced.wait()
        await tx.assistants.replace(MINE, assistant(metadata=more(kept.assistant)))

    async with within(), asyncio.TaskGroup() as group:
        group.create_task(first.write(slow))
        await read.wait()
        await second.write(count_assistant)
        replaced.set()
    kept = await first.read(lambda tx: tx.assistants.get(MINE, "asst_1"))
    assert kept is not None
    assert (kept.assistant.metadata, times) == ({"n": "2"}, 2)


async def test_metadata_of_a_message_do_not_undo_the_text_of_its_worker(
    first: PostgresStore, second: PostgresStore
) -> None:
    half, whole = (message(run_id="run_1", status=status) for status in ("in_progress", "completed"))
    await first.write(lambda tx: tx.messages.insert(MINE, [half]))
    read, written = asyncio.Event(), asyncio.Event()

    async def name(tx: Tx) -> None:
        said = await tx.messages.get(MINE, "thread_1", "msg_1")
        assert said
        read.set()
        await written.wait()
        await tx.messages.replace(MINE, msgspec.structs.replace(said, metadata={"a": "b"}))

    async with within(), asyncio.TaskGroup() as group:
        group.create_task(first.write(name))
        await read.wait()
        await second.write(lambda tx: tx.messages.replace(MINE, whole))
        written.set()
    kept = await first.read(lambda tx: tx.messages.get(MINE, "thread_1", "msg_1"))
    assert kept == msgspec.structs.replace(whole, metadata={"a": "b"})


async def test_reading_an_assistant_waits_for_no_writer(first: PostgresStore, second: PostgresStore) -> None:
    await first.write(everything)
    async with open_in(first, count_assistant), within():
        assert await second.write(lambda tx: tx.assistants.get(MINE, "asst_1")) == assistant()


async def test_of_eight_changes_of_one_version_one_wins(first: PostgresStore, second: PostgresStore) -> None:
    [row] = await add_runs(first, run())

    async def claim(number: int) -> RunRow:
        taken = becomes(row.run, Status.IN_PROGRESS)
        store = (first, second)[number % 2]
        return await store.write(lambda tx: changed(tx, row, taken, [event()], f"worker-{number}"))

    results = await asyncio.gather(*map(claim, range(8)), return_exceptions=True)
    [won] = [result for result in results if isinstance(result, RunRow)]
    assert [type(result) for result in results].count(Stale) == 7
    assert await second.read(lambda tx: tx.runs.load("run_1")) == won
    assert len(await first.read(lambda tx: tx.events.after("run_1", 0, 10))) == 1


async def test_a_writer_that_loaded_a_run_changes_it(first: PostgresStore, second: PostgresStore) -> None:
    await add_runs(first, run())

    async def move(tx: Tx) -> None:
        row = await tx.runs.load("run_1")
        assert row
        await changed(tx, row, row.run, [event()])

    await asyncio.gather(*(store.write(move) for _ in range(20) for store in (first, second)))
    row = await first.read(lambda tx: tx.runs.load("run_1"))
    assert row is not None
    assert row.seq == 40


@pytest.mark.parametrize("undo", [False, True])
async def test_of_two_runs_at_once_the_first_that_is_committed_stays(
    first: PostgresStore, second: PostgresStore, waiting: Waiting, undo: bool
) -> None:
    insert = partial(add, run("run_1"))
    async with asyncio.TaskGroup() as group, open_in(first, insert, undo=undo):
        other = group.create_task(attempt(add_runs(second, run("run_2"))))
        await waiting(1)
    assert isinstance(other.result(), ThreadBusy) is not undo


async def add(new: Run, tx: Tx) -> None:
    await created(tx, MINE, new, ())


async def attempt(doing: Awaitable[object]) -> object:
    try:
        return await doing
    except (RunsteadError, ThreadBusy) as error:
        return error


@pytest.fixture
async def projects(first: PostgresStore, second: PostgresStore) -> tuple[Project, Project, str, str]:
    """Two engines on one database, with a thread and an assistant."""
    one, other = (Project(adapters_of(store=store), MINE, None) for store in (first, second))
    made = await one.create_assistant(AssistantRequest(model="some-model"))
    kept = await one.create_thread()
    await one.create_message(kept.id, MessageRequest(role="user", content="Hello"))
    return one, other, kept.id, made.id


Projects = tuple[Project, Project, str, str]


async def test_a_message_that_meets_a_new_run_is_refused(
    first: PostgresStore, projects: Projects, waiting: Waiting
) -> None:
    one, other, thread_id, assistant_id = projects
    async with asyncio.TaskGroup() as group, open_in(first, find_thread(thread_id)):
        run = group.create_task(one.create_run(thread_id, RunRequest(assistant_id=assistant_id)))
        await waiting(1)
        said = group.create_task(attempt(other.create_message(thread_id, MessageRequest(role="user", content="?"))))
        await waiting(2)
    assert run.result().status == Status.QUEUED
    refused = said.result()
    assert isinstance(refused, BadRequest)
    assert run.result().id in str(refused)


async def test_a_run_or_a_message_that_meets_the_end_of_its_thread_finds_none(
    first: PostgresStore, projects: Projects, waiting: Waiting
) -> None:
    one, other, thread_id, assistant_id = projects
    async with asyncio.TaskGroup() as group, open_in(first, find_thread(thread_id)):
        group.create_task(one.delete_thread(thread_id))
        await waiting(1)
        late = [
            group.create_task(attempt(other.create_run(thread_id, RunRequest(assistant_id=assistant_id)))),
            group.create_task(attempt(other.create_message(thread_id, MessageRequest(role="user", content="?")))),
        ]
        await waiting(3)
    assert [type(task.result()) for task in late] == [NotFound, NotFound]


async def test_a_thread_is_deleted_with_what_a_worker_is_writing(
    first: PostgresStore, second: PostgresStore, admin: Any, waiting: Waiting
) -> None:
    await first.write(everything)
    [row] = await add_runs(first, run())

    async def write(tx: Tx) -> None:
        await changed(tx, row, becomes(row.run, Status.IN_PROGRESS), [event()], "worker-1")
        await tx.steps.insert(MINE, step_row())
        await tx.messages.insert(MINE, [message("msg_2", run_id="run_1")])

    async with asyncio.TaskGroup() as group, open_in(first, write):
        assert await second.write(lambda tx: tx.threads.delete(MINE, "thread_1", 100))
        group.create_task(second.write(lambda tx: tx.deletions.remove(100, 500, 2**20)))
        await waiting(1)
    assert not await second.write(lambda tx: tx.deletions.remove(100, 500, 2**20))
    for table in ("threads", "runs", "steps", "events", "messages"):
        assert await admin.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_works_that_wait_for_each_other_are_both_done(first: PostgresStore, second: PostgresStore) -> None:
    await first.write(keep_thread("thread_1"))
    await first.write(keep_thread("thread_2"))
    both = asyncio.Barrier(2)
    times = 0

    async def work(names: tuple[str, str], tx: Tx) -> None:
        nonlocal times
        times += 1
        await tx.threads.get(MINE, names[0])
        if times <= 2:
            await both.wait()
        await tx.threads.get(MINE, names[1])
        await tx.threads.insert(MINE, thread("after_" + names[1]))

    async with within():
        await asyncio.gather(
            first.write(partial(work, ("thread_1", "thread_2"))), second.write(partial(work, ("thread_2", "thread_1")))
        )
    assert times >= 3
    assert await first.read(find_thread("after_thread_1"))
    assert await first.read(find_thread("after_thread_2"))


async def test_a_read_sees_one_state_whatever_is_committed_meanwhile(
    first: PostgresStore, second: PostgresStore
) -> None:
    seen, changed = asyncio.Event(), asyncio.Event()

    async def look(tx: Tx) -> list[object]:
        before = await tx.threads.get(MINE, "thread_1")
        seen.set()
        await changed.wait()
        return [before, await tx.threads.get(MINE, "thread_1")]

    async with within(), asyncio.TaskGroup() as group:
        looking = group.create_task(first.read(look))
        await seen.wait()
        await second.write(keep_thread())
        changed.set()
    assert looking.result() == [None, None]
    assert await first.read(find_thread())
