"""The checker finds nothing in a store that only the engine wrote to, and everything that was broken by hand."""

import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from runstead.engine.check import Examined, examine
from runstead.llm.script import Gate, Turn, call, fail, limit, say, usage
from runstead.store.port import Store
from runstead.store.sqlite import SqliteStore
from runstead.wire.message import MessageRequest
from runstead.wire.run import Run, Status
from tests.contract.store.adapters import ADAPTERS, Adapter
from tests.support.crash import doomed
from tests.support.waiting import until, within
from tests.support.worlds import WEATHER, World, world


async def checked(store: Store, **how: Any) -> tuple[list[str], Examined]:
    """What the checker says of a store."""
    found: list[str] = []
    examined = await examine(store, lambda violation: found.append(str(violation)), **how)
    assert examined.violations == len(found)
    return found, examined


@pytest.fixture(params=ADAPTERS, ids=lambda adapter: adapter.name)
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    adapter: Adapter = request.param
    return adapter.make(tmp_path)


async def started(here: World, gate: Gate, *said: str, **fields: Any) -> Run:
    """A run whose model stands before a gate."""
    run = await here.start(*said, **fields)
    async with within():
        await gate.reached.wait()
    return run


async def is_now(here: World, run: Run, status: Status) -> bool:
    return (await here.now(run)).status is status


async def is_delayed(here: World, run: Run) -> bool:
    return (await here.row(run)).delays > 0


async def follow_up(here: World, run: Run, text: str, **fields: Any) -> Run:
    return await here.again(run, additional_messages=[MessageRequest(role="user", content=text)], **fields)


async def test_whatever_happens_to_runs_nothing_is_wrong_with_them(any_store: Store) -> None:
    gates = [Gate() for _ in range(5)]
    turns: list[Turn] = [
        [say("Let me see."), call("weather"), call("weather"), usage(7, 5)], "Sunny.",
        [say("Half"), gates[0]],
        fail("The line is dead."),
        " ".join(["word"] * 300),
        [call("weather"), call("weather")],
        call("weather"),
        [say("Half"), limit()],
        "Later.",
        [say("Half"), gates[1]],
        [say("One"), gates[2]], "Two", "Three",
        [say("Never"), gates[3]], "Instead",
        call("weather"),
        [say("Now"), gates[4]],
    ]  # fmt: skip
    async with world(turns, store=any_store) as here:
        answered = await here.ended(await here.start(tools=[WEATHER]))
        await here.submit(answered)
        await here.ended(answered)
        cancelled = await started(here, gates[0])
        await here.project.cancel(cancelled.thread_id, cancelled.id)
        await here.ended(cancelled)
        for fields in ({}, {"max_completion_tokens": 256}, {"tools": [WEATHER], "max_tool_calls": 1}):
            await here.ended(await here.start(**fields))
        expired = await here.ended(await here.start(tools=[WEATHER], expires_after=65))
        delayed = await here.start()
        await until(lambda: is_delayed(here, delayed))
        assert (await checked(any_store))[0] == []
        await here.clock.advance(60)
        assert (await here.ended(delayed)).status == "completed"
        overdrawn = await started(here, gates[1], max_seconds=5)
        await here.clock.advance(5)
        await until(lambda: is_now(here, expired, Status.EXPIRED))
        assert (await here.ended(overdrawn)).status == "incomplete"
        first = await started(here, gates[2])
        second = await follow_up(here, first, "And?", on_busy="enqueue")
        gone = await follow_up(here, first, "No.", on_busy="enqueue")
        third = await follow_up(here, first, "And?", on_busy="enqueue")
        await here.project.create_message(first.thread_id, MessageRequest(role="user", content="x", on_busy="enqueue"))
        assert (await checked(any_store))[0] == []
        await here.project.cancel(gone.thread_id, gone.id)
        gates[2].open()
        for run in (second, third):
            assert (await here.ended(run)).status == "completed"
        interrupted = await started(here, gates[3])
        assert (await here.ended(await follow_up(here, interrupted, "No!", on_busy="interrupt"))).status == "completed"
        await here.project.update_run(answered.thread_id, answered.id, {"a": "b"})
        [told, _] = await here.written(answered)
        await here.project.update_message(answered.thread_id, told.id, {"a": "b"})
        await here.project.delete_message(answered.thread_id, told.id)
        assert (await here.ended(await here.start(tools=[WEATHER]))).status == "requires_action"
        await started(here, gates[4])
        found, examined = await checked(any_store)
        assert found == []
        assert (examined.runs, examined.active, examined.to_rescue, examined.deleted) == (16, 2, 0, 1)
        assert examined.steps > 10
        assert examined.messages > 5
        assert examined.events > 100


async def test_runs_that_were_rescued_and_handed_back_are_in_order(tmp_path: Path) -> None:
    path, gates = tmp_path / "runs.db", [Gate(), Gate()]
    async with doomed([[say("Half"), gates[0]]], path) as here:
        run = await started(here, gates[0])
    store = SqliteStore(path)
    await store.start()
    found, examined = await checked(store, alone=True)
    assert found == []
    assert (examined.active, examined.to_rescue) == (1, 1)
    found, _ = await checked(store, drained=True)
    assert found == [f"{run.id}: it is in_progress, though no worker runs any more"]
    await store.stop()
    async with world([[say("Half"), gates[1]]], path=path), within():
        await gates[1].reached.wait()
    async with world(["Whole."], path=path) as here:
        assert (await here.ended(run)).status == "completed"
        found, examined = await checked(here.adapters.store, drained=True)
        assert (found, examined.to_rescue) == ([], 0)


async def test_a_store_is_read_in_parts(tmp_path: Path) -> None:
    async with world(lambda _: "Hello", path=tmp_path / "runs.db") as here:
        for number in range(5):
            _, examined = await checked(here.adapters.store, part=2)
            assert (examined.runs, examined.steps, examined.messages) == (number, number, number)
            await here.ended(await here.start())


# A store with a run that is done, one that was stopped, one that waits for outputs, and one that waits for that.


class IdempotencyRecord:
    """A store that nobody has open, to be broken by hand."""

    def __init__(self, path: Path, **runs: Run) -> None:
        self.path = path
        self.ids = {name: run.id for name, run in runs.items()}

    def __call__(self, *statements: str) -> None:
        """`:done`, `:stopped`, `:paused` and `:waiting` are the ids of its runs."""
        with sqlite3.connect(self.path) as connection:
            connection.execute("PRAGMA foreign_keys = OFF")
            for statement in statements:
                assert not statement.startswith("UPDATE") or connection.execute(statement, self.ids).rowcount
                if not statement.startswith("UPDATE"):
                    connection.execute(statement, self.ids)
        connection.close()


@pytest.fixture
async def kept(tmp_path: Path) -> IdempotencyRecord:
    gate = Gate()
    turns: list[Turn] = [
        [call("weather"), usage(7, 5)],
        "Sunny.",
        [say("Half"), gate],
        [say("Let me see."), call("weather")],
    ]
    path = tmp_path / "runs.db"
    async with world(turns, path=path) as here:
        done = await here.ended(await here.start(tools=[WEATHER]))
        await here.submit(done)
        await here.ended(done)
        stopped = await started(here, gate)
        await here.project.cancel(stopped.thread_id, stopped.id)
        await here.ended(stopped)
        paused = await here.ended(await here.start(tools=[WEATHER]))
        waiting = await follow_up(here, paused, "And?", on_busy="enqueue")
    return IdempotencyRecord(path, done=done, stopped=stopped, paused=paused, waiting=waiting)


def body(table: str, path: str, value: str, where: str) -> str:
    """Changes a field of the object that a row keeps."""
    text = f"json_set(CAST(body AS TEXT), '$.{path}', json('{value}'))"
    return f"UPDATE {table} SET body = CAST({text} AS BLOB) WHERE {where}"


def told(old: str, new: str, run: str) -> str:
    """Changes what a run told."""
    text = f"replace(CAST(body AS TEXT), '{old}', '{new}')"
    return f"UPDATE events SET body = CAST({text} AS BLOB) WHERE run_id = :{run} AND CAST(body AS TEXT) LIKE '%{old}%'"


DONE, STOPPED, PAUSED = "id = :done", "id = :stopped", "id = :paused"
LAST = "run_id = :done AND last = (SELECT max(last) FROM events WHERE run_id = :done)"
AGAIN = "INSERT INTO events SELECT run_id, project, 101, 101 + last - first, body FROM events"
COPY = "(id, project, run_id, created_at, body) SELECT '{id}', project, {run}, created_at, body FROM steps"

BROKEN: list[tuple[str, list[str], str]] = [
    ("a hole", ["DELETE FROM events WHERE run_id = :done AND first = 4"], r"done: event \d+ follows event 3"),
    ("a lost end", [f"DELETE FROM events WHERE {LAST}"], r"done: its last event is \d+, and it says \d+"),
    ("a wrong count", ["UPDATE runs SET last_event = 99 WHERE id = :done"],
     r"done: its last event is \d+, and it says 99"),
    ("too few in one", [f"UPDATE events SET last = last + 1 WHERE {LAST}"], r"done: the events \d+ to \d+ are \d+"),
    ("no beginning", ["DELETE FROM events WHERE run_id = :done AND first = 1"],
     "done: its events begin with thread.run"),
    ("no events", ["DELETE FROM events WHERE run_id = :done"], "done: no event tells of it"),
    ("two ends", [f"{AGAIN} WHERE {LAST}"], "done: it has ended 2 times: thread.run.completed, thread.run.completed"),
    ("a word after the end", [f"{AGAIN} WHERE run_id = :done AND first = 4"],
     r"done: after thread.run.completed it told"),
    ("a leap", [told('"status":"cancelling"', '"status":"requires_action"', "stopped"),
                told("thread.run.cancelling", "thread.run.requires_action", "stopped")],
     "stopped: it was requires_action and then cancelled"),
    ("a false name", [told("thread.run.cancelling", "thread.run.queued", "stopped")],
     "stopped: thread.run.queued shows a run that is cancelling"),
    ("another status", [body("runs", "status", '"failed"', DONE), "UPDATE runs SET status = 'failed' WHERE id = :done"],
     "done: it is failed, and its last event says completed"),
    ("another field", [body("runs", "model", '"other"', DONE)], "done: it and its last event differ in model"),
    ("another step", [body("steps", "completed_at", "1", "run_id = :done")],
     r"done: step \w+ and its last event differ in"),
    ("another message", [body("messages", "content", "[]", "run_id = :done")],
     r"done: message \w+ and its .* in content"),
    ("another end of a step", [body("steps", "status", '"failed"', "run_id = :done")],
     r"done: step \w+ is failed, and its last event says completed"),
    ("a lost step", ["DELETE FROM steps WHERE run_id = :done"], r"done: there is no step step_\w+, of which it told"),
    ("a lost message", ["DELETE FROM messages WHERE run_id = :paused"],
     r"paused: there is no message msg_\w+, of which it told"),
    ("a mess", [told("thread.run.step.created", "thread.message.created", "paused")],
     "paused: what is stored of it cannot be read: Invalid"),
    ("half a run", ["UPDATE runs SET body = CAST('{' AS BLOB) WHERE id = :paused"],
     "paused: what is stored of it cannot be read: Input data was truncated"),
    ("a step out of nothing", [f"INSERT INTO steps {COPY.format(id='step_x', run=':done')} WHERE run_id = :stopped"],
     r"done: it never told of step"),
    ("a message without its step", ["DELETE FROM steps WHERE run_id = :stopped"],
     r"stopped: message \w+ was written by 0 steps"),
    ("a step on another thread", [body("steps", "thread_id", '"thread_x"', "run_id = :done")],
     r"done: step_\w+ is on thread_x, and it is on thread_\w+"),
    ("a step in another project", ["UPDATE steps SET project = 'x' WHERE run_id = :done"],
     r"done: step_\w+ is not in its project default"),
    ("a message in another project", ["UPDATE messages SET project = 'x' WHERE run_id = :done"],
     r"done: msg_\w+ is not in its project default"),
    ("an open step", [body("steps", "status", '"in_progress"', "run_id = :stopped")],
     r"stopped: it is cancelled, and step \w+ is open"),
    ("an open message", [body("messages", "status", '"in_progress"', "run_id = :stopped")],
     r"stopped: it is cancelled, and message \w+ is open"),
    ("a pause without its step", [body("steps", "status", '"completed"', "run_id = :paused")],
     "paused: it waits for outputs, and what is open is not one step with these calls"),
    ("a pause for other calls", [body("steps", "step_details.tool_calls[0].id", '"call_x"', "run_id = :paused")],
     "paused: it waits for outputs, and what is open is not one step with these calls"),
    ("another usage", [body("runs", "usage.total_tokens", "99", DONE)],
     r"done: its usage is 99 tokens, and that of its steps \d+"),
    ("no usage", [body("runs", "usage", "null", DONE)], r"done: its usage is none, and that of its steps \d+"),
    ("a usage too early", [body("runs", "usage", '{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}', PAUSED)],
     "paused: it is requires_action, and shows its usage"),
    ("a false place", ["UPDATE runs SET status = 'expired' WHERE id = :done"],
     "done: it is completed, and found as expired"),
    ("a turn too early", ["UPDATE runs SET status = 'completed' WHERE id = :waiting"],
     "waiting: it is waiting, and found as completed"),
    ("a false deadline", ["UPDATE runs SET expires_at = 5 WHERE id = :paused"],
     r"paused: its deadline is \d+, and it is found by 5"),
    ("a pause that is held", ["UPDATE runs SET owner = 'worker_x' WHERE id = :paused"],
     "paused: it is requires_action, and held by worker_x"),
    ("work that nobody holds", [body("runs", "status", '"in_progress"', PAUSED),
                                "UPDATE runs SET status = 'in_progress' WHERE id = :paused"],
     "paused: it is in_progress, and held by nobody"),
    ("a lost thread", ["DELETE FROM threads"], r"done: there is no thread thread_\w+"),
    ("two active runs", ["DROP INDEX runs_active", "UPDATE runs SET status = 'queued' WHERE id = :waiting"],
     r"paused: it is active, and so is run_\w+ on the same thread"),
    ("a line to nowhere", ["UPDATE runs SET behind = 'run_x' WHERE id = :waiting"],
     "waiting: it waits behind run_x, which is not on its thread"),
    ("a line to another thread", ["UPDATE runs SET behind = :done WHERE id = :waiting"],
     r"waiting: it waits behind run_\w+, which is not on its thread"),
    ("a line that stands", ["UPDATE runs SET status = 'failed' WHERE id = :paused"],
     r"waiting: it waits behind run_\w+, which is failed"),
    ("a message that waits for ever", ["UPDATE messages SET behind = :done WHERE behind IS NOT NULL"],
     r"done: it is completed, and msg_\w+ waits for its end"),
    ("a stray step", ["UPDATE steps SET run_id = 'run_x' WHERE run_id = :done"],
     r"run_x: there is no such run, and step step_\w+ belongs to it"),
    ("a stray message", ["UPDATE messages SET run_id = 'run_x' WHERE run_id = :done"],
     r"run_x: there is no such run, and message msg_\w+ belongs to it"),
    ("stray events", ["UPDATE events SET run_id = 'run_x' WHERE run_id = :done AND first = 1"],
     "run_x: there is no such run, and what it reported from event 1 belongs to it"),
    ("a message that waits for nobody", ["UPDATE messages SET behind = 'run_x' WHERE behind IS NOT NULL"],
     r"run_x: there is no such run, and waiting message msg_\w+ belongs to it"),
    ("what is left of all runs", ["DELETE FROM runs"], r"done: there is no such run, and step step_\w+ belongs to it"),
]  # fmt: skip


async def said_of(kept: IdempotencyRecord) -> list[str]:
    store = SqliteStore(kept.path)
    await store.start()
    found, _ = await checked(store)
    await store.stop()
    names = {id: name for name, id in kept.ids.items()}
    return [re.sub(r"^run_\w+(?=:)", lambda about: names.get(about[0], about[0]), line) for line in found]


@pytest.mark.parametrize(("statements", "words"), [each[1:] for each in BROKEN], ids=[each[0] for each in BROKEN])
async def test_what_was_broken_by_hand_is_said(kept: IdempotencyRecord, statements: list[str], words: str) -> None:
    kept(*statements)
    found = await said_of(kept)
    assert [line for line in found if re.match(words, line)], found


async def test_what_was_not_broken_is_in_order(kept: IdempotencyRecord) -> None:
    assert await said_of(kept) == []
