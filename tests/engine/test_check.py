"""The checker: no violation in a store that only the engine wrote to, and every violation that a test made by hand."""

import re
import sqlite3
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
import pytest_asyncio

from runstead.engine.check import Examined, examine
from runstead.llm.scripted import Gate, Turn, call, fail, limit, say, usage
from runstead.store.port import Store
from runstead.store.sqlite import SqliteStore
from runstead.wire.message import MessageRequest
from runstead.wire.run import Run, Status
from tests.contract.store.adapters import ADAPTERS, Adapter
from tests.support.crash import doomed
from tests.support.waiting import until, within
from tests.support.worlds import WEATHER, World, world

DEEP = '{"tools":[{"type":"function","function":{"name":"f","parameters":' + '{"a":' * 5000 + "}" * 5004
"""The body of a run with a schema that no decoder reads."""


async def checked(store: Store, **how: Any) -> tuple[list[str], Examined]:
    """The violations that the checker reports, and its counts."""
    found: list[str] = []
    examined = await examine(store, lambda violation: found.append(str(violation)), **how)
    assert examined.violations == len(found)
    return found, examined


@pytest.fixture(params=ADAPTERS, ids=lambda adapter: adapter.name)
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    adapter: Adapter = request.param
    return adapter.make(tmp_path)


async def started(here: World, gate: Gate, *said: str, **fields: Any) -> Run:
    """A run whose model waits at a gate."""
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


async def test_no_run_breaks_an_invariant_however_it_went(any_store: Store) -> None:
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
        [message, _] = await here.written(answered)
        await here.project.update_message(answered.thread_id, message.id, {"a": "b"})
        await here.project.delete_message(answered.thread_id, message.id)
        assert (await here.ended(await here.start(tools=[WEATHER]))).status == "requires_action"
        await started(here, gates[4])
        found, examined = await checked(any_store)
        assert found == []
        assert (examined.runs, examined.active, examined.to_recover, examined.deleted) == (16, 2, 0, 1)
        assert examined.steps > 10
        assert examined.messages > 5
        assert examined.events > 100


async def test_recovered_and_released_runs_break_no_invariant(tmp_path: Path) -> None:
    path, gates = tmp_path / "runs.db", [Gate(), Gate()]
    async with doomed([[say("Half"), gates[0]]], path) as here:
        run = await started(here, gates[0])
    store = SqliteStore(path)
    await store.start()
    found, examined = await checked(store, alone=True)
    assert found == []
    assert (examined.active, examined.to_recover) == (1, 1)
    found, _ = await checked(store, drained=True)
    assert found == [f"{run.id}: the run is in_progress, but no worker is running"]
    await store.stop()
    async with world([[say("Half"), gates[1]]], path=path), within():
        await gates[1].reached.wait()
    async with world(["Whole."], path=path) as here:
        assert (await here.ended(run)).status == "completed"
        found, examined = await checked(here.adapters.store, drained=True)
        assert (found, examined.to_recover) == ([], 0)


async def test_a_store_is_read_page_by_page(tmp_path: Path) -> None:
    async with world(lambda _: "Hello", path=tmp_path / "runs.db") as here:
        for number in range(5):
            _, examined = await checked(here.adapters.store, part=2)
            assert (examined.runs, examined.steps, examined.messages) == (number, number, number)
            await here.ended(await here.start())


class StoppedStore:
    """A store that no process has open, for a test to corrupt with SQL."""

    def __init__(self, path: Path, ids: dict[str, str]) -> None:
        self.path = path
        self.ids = ids
        """The ids of the runs by their names."""

    def __call__(self, *statements: str) -> None:
        """Execute SQL; `:done`, `:stopped`, `:paused`, `:waiting` and `:written` stand for the ids of the runs."""
        with sqlite3.connect(self.path) as connection:
            connection.execute("PRAGMA foreign_keys = OFF")
            for statement in statements:
                assert not statement.startswith("UPDATE") or connection.execute(statement, self.ids).rowcount
                if not statement.startswith("UPDATE"):
                    connection.execute(statement, self.ids)
        connection.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def intact(tmp_path_factory: pytest.TempPathFactory) -> StoppedStore:
    """Runs: completed, cancelled, in `requires_action`, queued behind that one, and completed with two messages."""
    gate = Gate()
    turns: list[Turn] = [
        [call("weather"), usage(7, 5)],
        "Sunny.",
        [say("Half"), gate],
        [say("Let me see."), call("weather")],
        [say("Let me see."), call("weather")],
        "Sunny.",
    ]
    path = tmp_path_factory.mktemp("intact") / "runs.db"
    async with world(turns, path=path) as here:
        done = await here.ended(await here.start(tools=[WEATHER]))
        await here.submit(done)
        await here.ended(done)
        stopped = await started(here, gate)
        await here.project.cancel(stopped.thread_id, stopped.id)
        await here.ended(stopped)
        paused = await here.ended(await here.start(tools=[WEATHER]))
        waiting = await follow_up(here, paused, "And?", on_busy="enqueue")
        written = await here.ended(await here.start(tools=[WEATHER]))
        await here.submit(written)
        await here.ended(written)
    runs = {"done": done, "stopped": stopped, "paused": paused, "waiting": waiting, "written": written}
    return StoppedStore(path, {name: run.id for name, run in runs.items()})


@pytest.fixture
def stored(intact: StoppedStore, tmp_path: Path) -> StoppedStore:
    """A copy of that store for one test."""
    return StoppedStore(copyfile(intact.path, tmp_path / "runs.db"), intact.ids)


def body(table: str, path: str, value: str, where: str) -> str:
    """SQL that changes a field of the JSON in a row."""
    text = f"json_set(CAST(body AS TEXT), '$.{path}', json('{value}'))"
    return f"UPDATE {table} SET body = CAST({text} AS BLOB) WHERE {where}"


def journal(calls: str) -> str:
    """SQL that gives the step of the paused run a journal of these calls."""
    kept = f'{{"calls":[{calls}]}}'.replace(":", "' || char(58) || '")  # a colon would name a value
    return f"UPDATE steps SET journal = CAST('{kept}' AS BLOB) WHERE run_id = :paused"


def event(old: str, new: str, run: str) -> str:
    """SQL that changes text in the events of a run."""
    text = f"replace(CAST(body AS TEXT), '{old}', '{new}')"
    return f"UPDATE events SET body = CAST({text} AS BLOB) WHERE run_id = :{run} AND CAST(body AS TEXT) LIKE '%{old}%'"


DONE, STOPPED, PAUSED = "id = :done", "id = :stopped", "id = :paused"
LAST = "run_id = :done AND last = (SELECT max(last) FROM events WHERE run_id = :done)"
AGAIN = "INSERT INTO events SELECT run_id, project, 101, 101 + last - first, body FROM events"
COPY = "(id, project, run_id, created_at, body) SELECT '{id}', project, {run}, created_at, body FROM steps"

BROKEN: list[tuple[str, list[str], str]] = [
    ("a gap", ["DELETE FROM events WHERE run_id = :done AND first = 4"], r"done: event \d+ follows event 3"),
    ("no last event", [f"DELETE FROM events WHERE {LAST}"], r"done: the last event is \d+, but the run's row says \d+"),
    ("a wrong last event", ["UPDATE runs SET last_event = 99 WHERE id = :done"],
     r"done: the last event is \d+, but the run's row says 99"),
    ("too few events in a row", [f"UPDATE events SET last = last + 1 WHERE {LAST}"],
     r"done: a row has \d+ events, but is numbered \d+ to \d+"),
    ("no first event", ["DELETE FROM events WHERE run_id = :done AND first = 1"],
     "done: the events begin with thread.run"),
    ("no events", ["DELETE FROM events WHERE run_id = :done"], "done: no event shows the run"),
    ("two ends", [f"{AGAIN} WHERE {LAST}"], "done: the run ended 2 times: thread.run.completed, thread.run.completed"),
    ("an event after the end", [f"{AGAIN} WHERE run_id = :done AND first = 4"],
     r"done: thread\.\S+ follows thread.run.completed"),
    ("a transition that is not in the table", [event('"status":"cancelling"', '"status":"requires_action"', "stopped"),
                event("thread.run.cancelling", "thread.run.requires_action", "stopped")],
     "stopped: the run went from requires_action to cancelled"),
    ("a wrong event name", [event("thread.run.cancelling", "thread.run.queued", "stopped")],
     "stopped: thread.run.queued shows a run that is cancelling"),
    ("another status", [body("runs", "status", '"failed"', DONE), "UPDATE runs SET status = 'failed' WHERE id = :done"],
     "done: the run is failed, but its last event shows completed"),
    ("another field", [body("runs", "model", '"other"', DONE)], "done: the run and its last event differ in model"),
    ("another step", [body("steps", "completed_at", "1", "run_id = :done")],
     r"done: step \w+ and its last event differ in"),
    ("another message", [body("messages", "completed_at", "1", "run_id = :done")],
     r"done: message \w+ and its .* in completed_at"),
    ("another status of a step", [body("steps", "status", '"failed"', "run_id = :done")],
     r"done: step \w+ is failed, but its last event shows completed"),
    ("a missing step", ["DELETE FROM steps WHERE run_id = :done"],
     r"done: step step_\w+ is missing, but an event shows it"),
    ("a missing message", ["DELETE FROM messages WHERE run_id = :paused"],
     r"paused: message msg_\w+ is missing, but an event shows it"),
    ("an event that does not decode", [event("thread.run.step.created", "thread.message.created", "paused")],
     "paused: its row cannot be read: Invalid"),
    ("a run that is nested too deeply", [f"UPDATE runs SET body = CAST('{DEEP}' AS BLOB) WHERE id = :paused"],
     "paused: its row cannot be read: maximum recursion depth exceeded"),
    ("a run that does not decode", ["UPDATE runs SET body = CAST('{' AS BLOB) WHERE id = :paused"],
     "paused: its row cannot be read: Input data was truncated"),
    ("a step without an event", [f"INSERT INTO steps {COPY.format(id='step_x', run=':done')} WHERE run_id = :stopped"],
     r"done: no event shows step"),
    ("a message without its step", ["DELETE FROM steps WHERE run_id = :stopped"],
     r"stopped: message \w+ was written by 0 steps"),
    ("a step on another thread", [body("steps", "thread_id", '"thread_x"', "run_id = :done")],
     r"done: step_\w+ is on thread_x, but the run is on thread_\w+"),
    ("a step in another project", ["UPDATE steps SET project = 'x' WHERE run_id = :done"],
     r"done: step_\w+ is not in the run's project default"),
    ("a message in another project", ["UPDATE messages SET project = 'x' WHERE run_id = :done"],
     r"done: msg_\w+ is not in the run's project default"),
    ("steps that changed places", ["UPDATE steps SET number = -number WHERE run_id = :done"],
     r"done: step step_\w+ stands where step step_\w+ was created"),
    ("messages that changed places", ["UPDATE messages SET number = -number WHERE run_id = :written"],
     r"written: message msg_\w+ stands where message msg_\w+ was created"),
    ("a message between those of a run",
     ["UPDATE messages SET number = number + 10 WHERE id = (SELECT max(id) FROM messages WHERE run_id = :written)",
      "INSERT INTO messages (number, id, project, thread_id, created_at, body) SELECT number + 1, 'msg_x', project, "
      "thread_id, 0, body FROM messages WHERE run_id = :written ORDER BY number LIMIT 1"],
     "written: message msg_x stands between two messages of the run, which did not write it"),
    ("an open step", [body("steps", "status", '"in_progress"', "run_id = :stopped")],
     r"stopped: the run is cancelled, but step \w+ is open"),
    ("an open message", [body("messages", "status", '"in_progress"', "run_id = :stopped")],
     r"stopped: the run is cancelled, but message \w+ is open"),
    ("required calls without a step", [body("steps", "status", '"completed"', "run_id = :paused")],
     "paused: the run is requires_action, but its open steps are not one with the required calls"),
    ("required calls of no step", [body("steps", "step_details.tool_calls[0].id", '"call_x"', "run_id = :paused")],
     "paused: the run is requires_action, but its open steps are not one with the required calls"),
    ("a journal of other calls", [journal("")],
     r"paused: step_?.* shows the calls call_\w+, but its journal has none"),
    ("a call without its output", [journal('{"id":"a","name":"f","arguments":"","status":"completed"}')],
     "paused: call a is completed, but has no output"),
    ("an output without its end", [journal('{"id":"a","name":"f","arguments":"","output":"x"}')],
     "paused: call a is asked, but has an output"),
    ("a start without an attempt", [journal('{"id":"a","name":"f","arguments":"","status":"started"}')],
     "paused: call a has started, but has no attempt"),
    ("a pause before the server is done", [journal('{"id":"a","name":"f","arguments":"","tool":"file_search"}')],
     r"paused: the run is requires_action, but a of step \w+ waits for the server"),
    ("work without a call", [body("runs", "status", '"queued"', PAUSED)],
     r"paused: the run is queued, but no call of its open step \w+ waits for the server"),
    ("a completed step with an open call", [body("steps", "status", '"completed"', "run_id = :paused")],
     r"paused: step \w+ is completed, but its call call_\w+ is asked"),
    ("half a journal", ["UPDATE steps SET journal = CAST('{' AS BLOB) WHERE run_id = :paused"],
     "paused: its row cannot be read: Input data was truncated"),
    ("another usage", [body("runs", "usage.total_tokens", "99", DONE)],
     r"done: the run's usage is 99 tokens, but its steps add up to \d+"),
    ("no usage", [body("runs", "usage", "null", DONE)], r"done: the run's usage is none, but its steps add up to \d+"),
    ("a usage too early", [body("runs", "usage", '{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}', PAUSED)],
     "paused: the run is requires_action, but has a usage"),
    ("a wrong status column", ["UPDATE runs SET status = 'expired' WHERE id = :done"],
     "done: the run is completed, but its status column is expired"),
    ("a wrong status column of a queued run", ["UPDATE runs SET status = 'completed' WHERE id = :waiting"],
     "waiting: the run is waiting, but its status column is completed"),
    ("a wrong deadline column", ["UPDATE runs SET expires_at = 5 WHERE id = :paused"],
     r"paused: the run's deadline is \d+, but its column is 5"),
    ("an owner of a paused run", ["UPDATE runs SET owner = 'worker_x' WHERE id = :paused"],
     "paused: the run is requires_action, but its owner is worker_x"),
    ("a run in progress without an owner", [body("runs", "status", '"in_progress"', PAUSED),
                                "UPDATE runs SET status = 'in_progress' WHERE id = :paused"],
     "paused: the run is in_progress, but its owner is none"),
    ("a missing thread", ["DELETE FROM threads"], r"done: thread thread_\w+ does not exist"),
    ("two active runs", ["DROP INDEX runs_active", "UPDATE runs SET status = 'queued' WHERE id = :waiting"],
     r"paused: the run is active, but so is run_\w+ on the same thread"),
    ("a predecessor that does not exist", ["UPDATE runs SET behind = 'run_x' WHERE id = :waiting"],
     "waiting: the run is queued behind run_x, which is not on its thread"),
    ("a predecessor on another thread", ["UPDATE runs SET behind = :done WHERE id = :waiting"],
     r"waiting: the run is queued behind run_\w+, which is not on its thread"),
    ("a predecessor that has ended", ["UPDATE runs SET status = 'failed' WHERE id = :paused"],
     r"waiting: the run is queued behind run_\w+, which is failed"),
    ("a message that waits for a run that has ended", ["UPDATE messages SET behind = :done WHERE behind IS NOT NULL"],
     r"done: the run is completed, but msg_\w+ waits for its end"),
    ("a step without its run", ["UPDATE steps SET run_id = 'run_x' WHERE run_id = :done"],
     r"run_x: there is no such run, and step step_\w+ belongs to it"),
    ("a message without its run", ["UPDATE messages SET run_id = 'run_x' WHERE run_id = :done"],
     r"run_x: there is no such run, and message msg_\w+ belongs to it"),
    ("events without their run", ["UPDATE events SET run_id = 'run_x' WHERE run_id = :done AND first = 1"],
     "run_x: there is no such run, and event batch 1 belongs to it"),
    ("a waiting message without its run", ["UPDATE messages SET behind = 'run_x' WHERE behind IS NOT NULL"],
     r"run_x: there is no such run, and waiting message msg_\w+ belongs to it"),
    ("no runs at all", ["DELETE FROM runs"], r"done: there is no such run, and step step_\w+ belongs to it"),
]  # fmt: skip


async def found_in(stored: StoppedStore) -> list[str]:
    """The violations in the store, with the names of its runs instead of their ids."""
    store = SqliteStore(stored.path)
    await store.start()
    found, _ = await checked(store)
    await store.stop()
    names = {id: name for name, id in stored.ids.items()}
    return [re.sub(r"^run_\w+(?=:)", lambda id: names.get(id[0], id[0]), line) for line in found]


@pytest.mark.parametrize(("statements", "words"), [each[1:] for each in BROKEN], ids=[each[0] for each in BROKEN])
async def test_each_violation_is_reported(stored: StoppedStore, statements: list[str], words: str) -> None:
    stored(*statements)
    found = await found_in(stored)
    assert [line for line in found if re.match(words, line)], found


async def test_an_intact_store_has_no_violations(stored: StoppedStore) -> None:
    assert await found_in(stored) == []
