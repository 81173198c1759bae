"""Two processes and one thread queue: whatever ends or is added at once, nothing waits behind an ended run."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple

import pytest

from runstead.domain.run import transitions, usage
from runstead.domain.run.change import Change
from runstead.engine.execution.commit import Committed, write
from runstead.engine.execution.stop import stop
from runstead.engine.resources.project import Project
from runstead.store.port import RunRow, Tx
from runstead.store.postgres import PostgresStore
from runstead.wire.assistant import AssistantRequest
from runstead.wire.error import BadRequest
from runstead.wire.message import MessageRequest
from runstead.wire.options import OnBusy
from runstead.wire.run import Run, RunRequest, Status
from tests.store.postgres.conftest import Waiting
from tests.store.postgres.test_races import open_in
from tests.store.things import MINE, newest_messages
from tests.support.worlds import adapters_of, text_of

LOST = """
SELECT id FROM runs AS run
 WHERE status = 'waiting'
   AND NOT EXISTS (SELECT 1 FROM runs AS ahead WHERE ahead.id = run.behind AND (ahead.active OR status = 'waiting'))
 UNION ALL
SELECT id FROM messages AS message
 WHERE behind IS NOT NULL
   AND NOT EXISTS (SELECT 1 FROM runs AS ahead
                    WHERE ahead.id = message.behind AND (ahead.active OR status = 'waiting'))
 UNION ALL
SELECT behind FROM runs WHERE status = 'waiting' GROUP BY behind HAVING count(*) > 1
"""
"""Runs and messages without a predecessor that can end, and runs with two successors."""


class Thread(NamedTuple):
    """One thread, as two engines see it."""

    engines: tuple[Project, Project]
    id: str
    assistant_id: str

    async def add(self, engine: int, on_busy: OnBusy = "enqueue", *said: str) -> Run:
        request = RunRequest(
            assistant_id=self.assistant_id,
            on_busy=on_busy,
            additional_messages=[MessageRequest(role="user", content=text) for text in said],
        )
        return await self.engines[engine].create_run(self.id, request)

    async def say(self, engine: int, text: str, on_busy: OnBusy = "enqueue") -> None:
        message = MessageRequest(role="user", content=text, on_busy=on_busy)
        await self.engines[engine].create_message(self.id, message)

    async def statuses(self, *runs: Run) -> list[Status]:
        return [(await self.engines[0].get_run(self.id, run.id)).status for run in runs]


@pytest.fixture
async def thread(first: PostgresStore, second: PostgresStore) -> Thread:
    one, other = (Project(adapters_of(store=store), MINE, None) for store in (first, second))
    made = await one.create_assistant(AssistantRequest(model="some-model", instructions="Help."))
    return Thread((one, other), (await one.create_thread()).id, made.id)


async def cancel(run: Run, tx: Tx) -> Committed:
    row = await tx.runs.load(run.id)
    assert row is not None
    return await stop(tx, row, 100)


async def complete(row: RunRow, tx: Tx) -> Committed:
    """The work of its worker. A run without an owner is claimed first."""
    taken = transitions.claim(row.run, 100, "worker") if row.run.status is Status.QUEUED else Change(run=row.run)
    return await write(tx, row, transitions.combine(taken, transitions.complete(taken.run, 100, usage.NONE)), 100)


async def finish(run: Run, tx: Tx) -> Committed:
    row = await tx.runs.load(run.id)
    assert row is not None
    return await complete(row, tx)


async def finish_first(thread_id: str, tx: Tx) -> None:
    row = await active(thread_id, tx)
    if row is not None:
        await complete(row, tx)


async def take_first(thread_id: str, tx: Tx) -> None:
    row = await active(thread_id, tx)
    if row is not None and row.run.status is Status.QUEUED:
        await write(tx, row, transitions.claim(row.run, 100, "worker"), 100)


async def active(thread_id: str, tx: Tx) -> RunRow | None:
    """The active run, as a worker gets it: without the thread."""
    found = await tx.runs.active(MINE, thread_id)
    row = await tx.runs.load(found.id) if found is not None else None
    return row if row is not None and not row.run.status.terminal else None


async def test_a_run_created_while_the_last_one_ends_is_not_queued(
    first: PostgresStore, thread: Thread, waiting: Waiting
) -> None:
    run = await thread.add(0)
    async with asyncio.TaskGroup() as group, open_in(first, partial(finish, run)):
        late = group.create_task(thread.add(1))
        said = group.create_task(thread.say(0, "a"))
        await waiting(2)
    del said
    assert await thread.statuses(run, late.result()) == ["completed", "queued"]
    assert await first.read(lambda tx: tx.runs.active(MINE, thread.id)) == late.result()


async def test_a_run_that_ends_while_one_gets_in_line_gives_way_to_it(
    first: PostgresStore, second: PostgresStore, thread: Thread, waiting: Waiting
) -> None:
    run = await thread.add(0)

    async def hold(tx: Tx) -> None:
        await tx.runs.queue_tail(MINE, thread.id)

    async with asyncio.TaskGroup() as group, open_in(first, hold):
        late = group.create_task(thread.add(0))
        await waiting(1)
        group.create_task(second.write(partial(finish, run)))
        await waiting(2)
    assert (await thread.statuses(run))[0] == "completed"
    assert await first.read(lambda tx: tx.runs.active(MINE, thread.id)) == late.result()


async def test_a_run_whose_place_in_line_moves_while_the_first_ends_has_its_turn(
    first: PostgresStore, second: PostgresStore, thread: Thread, waiting: Waiting, admin: Any
) -> None:
    runs = [await thread.add(0), await thread.add(0), await thread.add(0, "enqueue", "a")]
    async with asyncio.TaskGroup() as group, open_in(first, partial(cancel, runs[1])):
        ending = group.create_task(second.write(partial(finish, runs[0])))
        await waiting(1)
    given = ending.result().next
    assert given is not None
    assert given.run == runs[2]
    assert await first.read(lambda tx: tx.runs.active(MINE, thread.id)) == runs[2]
    assert await admin.fetch(LOST) == []


async def test_runs_that_leave_the_line_at_once_leave_no_hole(
    first: PostgresStore, second: PostgresStore, thread: Thread, waiting: Waiting, admin: Any
) -> None:
    runs = [await thread.add(0) for _ in range(4)]
    async with asyncio.TaskGroup() as group, open_in(first, partial(cancel, runs[2])):
        group.create_task(second.write(partial(cancel, runs[1])))
        await waiting(1)
    assert await admin.fetchval("SELECT behind FROM runs WHERE id = $1", runs[3].id) == runs[0].id


@pytest.mark.parametrize("on_busy", ["enqueue", "interrupt"])
async def test_a_run_created_while_the_queue_tail_is_cancelled_waits_for_the_one_before(
    first: PostgresStore, thread: Thread, waiting: Waiting, admin: Any, on_busy: OnBusy
) -> None:
    runs = [await thread.add(0), await thread.add(0)]
    async with asyncio.TaskGroup() as group, open_in(first, partial(cancel, runs[1])):
        late = group.create_task(thread.add(1, on_busy))
        await waiting(1)
    assert await thread.statuses(runs[1]) == ["cancelled"]
    behind = await admin.fetchval("SELECT behind FROM runs WHERE id = $1", late.result().id)
    assert behind == (runs[0].id if on_busy == "enqueue" else None)
    assert await admin.fetch(LOST) == []


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_at_once_all_run_in_the_end(
    first: PostgresStore, second: PostgresStore, thread: Thread, admin: Any, seed: int
) -> None:
    dice = random.Random(seed)
    runs: list[Run] = []
    numbers = itertools.count()

    async def add(engine: int, on_busy: OnBusy) -> None:
        runs.append(await thread.add(engine, on_busy, f"{next(numbers)}"))

    async def leave(engine: int) -> None:
        try:
            if runs:
                await thread.engines[engine].cancel(thread.id, dice.choice(runs).id)
        except BadRequest:
            pass  # it has ended already

    async def work(what: Callable[[str, Tx], Awaitable[None]], engine: int) -> None:
        await (first, second)[engine].write(partial(what, thread.id))

    things: list[Callable[[int], Awaitable[None]]] = [
        *[lambda engine: add(engine, "enqueue")] * 4,
        lambda engine: add(engine, "interrupt"),
        *[lambda engine: thread.say(engine, "said")] * 2,
        lambda engine: thread.say(engine, "said", "interrupt"),
        *[leave] * 4,
        *[partial(work, take_first)] * 2,
        *[partial(work, finish_first)] * 4,
    ]
    for _ in range(15):
        await asyncio.gather(*(thing(number % 2) for number, thing in enumerate(dice.choices(things, k=12))))
        assert await admin.fetch(LOST) == []
    for _ in runs:
        await first.write(partial(finish_first, thread.id))
    assert await admin.fetchval("SELECT count(*) FROM runs WHERE active OR status = 'waiting'") == 0
    assert await admin.fetchval("SELECT count(*) FROM messages WHERE behind IS NOT NULL") == 0
    joined = await first.read(lambda tx: newest_messages(tx, MINE, thread.id, 1000))
    brought = [text_of(message) for message in joined if text_of(message) != "said"]
    assert sorted(brought, key=int) == [f"{number}" for number in range(len(runs))]
