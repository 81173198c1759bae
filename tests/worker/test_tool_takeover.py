"""A worker is gone in the middle of its tools: no finished call is repeated, and no at-most-once call runs twice."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from runstead.domain.model_call import ModelRequest
from runstead.domain.run.journal import Call, StepRow
from runstead.domain.run.lifecycle import Signal
from runstead.engine.check import examine
from runstead.engine.execution.claimed_run import Interrupted, claim
from runstead.engine.execution.execute import execute
from runstead.engine.execution.stop import end_unowned
from runstead.llm.scripted import Gate, Turn, call, say
from runstead.store.port import Store, Tx
from runstead.store.postgres import PostgresStore
from runstead.store.sqlite import SqliteStore
from runstead.tools.port import ToolSession
from runstead.wire.run import Run
from runstead.wire.run_step import FileSearchCall, ToolCallsDetails
from tests.support.clock import FastClock
from tests.support.crash import doomed
from tests.support.postgres import place, server
from tests.support.reader import Reader
from tests.support.tools import BOTH, Execute, Search, echo, held_by
from tests.support.waiting import until, within
from tests.support.worlds import WEATHER, World, names, world

UNKNOWN = "The server stopped while this call was running, and the call is not repeated. Its outcome is unknown:"
LONG = 10**6
Open = Callable[[], Store]


@pytest.fixture
def store(tmp_path: Path) -> Open:
    """Opens a store, over the same place each time."""
    return lambda: SqliteStore(tmp_path / "rs.db")


@pytest.fixture(params=["sqlite", "postgres"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """The same, of every kind. How a process over PostgreSQL dies is seen in tests/e2e."""
    if request.param == "sqlite":
        return lambda: SqliteStore(tmp_path / "rs.db")
    return lambda: PostgresStore(server().url, schema=place(tmp_path))


def dying(script: Any, store: Store, **outside: Any) -> AbstractAsyncContextManager[World]:
    return doomed(script, Path(), store=store, clock=FastClock(), lifetime=LONG, **outside)


def living(script: Any, store: Store, **outside: Any) -> AbstractAsyncContextManager[World]:
    return world(script, store=store, clock=FastClock(), lifetime=LONG, **outside)


def outputs(request: ModelRequest) -> list[str]:
    return [each["content"] for each in request.messages if each["role"] == "tool"]


async def checked(here: World, run: Run) -> list[str]:
    events = await here.events(run)
    Reader().read(events)
    wrong: list[str] = []
    await examine(here.adapters.store, lambda violation: wrong.append(str(violation)))
    assert wrong == []
    return names(events)


def only(arguments: str, gate: Gate) -> Callable[[Call, ToolSession], Any]:
    """A behaviour that holds this call, and lets the others through."""

    async def behave(call: Call, session: ToolSession) -> str:
        return await (held_by(gate) if call.arguments == arguments else echo)(call, session)

    return behave


async def results_of(here: World, run: Run) -> int:
    """How many of the step's searches show their results."""
    [step] = await here.steps(run)
    assert isinstance(step.step_details, ToolCallsDetails)
    shown = step.step_details.tool_calls
    return sum(isinstance(each, FileSearchCall) and bool(each.file_search.results) for each in shown)


async def test_a_retry_call_runs_again_and_a_finished_one_does_not(store: Open) -> None:
    gate, first, second = Gate(), Search(), Search()
    first._behaviour = only('{"n":2}', gate)
    turn: Turn = [call("search", n=number) for number in (1, 2, 3)]
    async with dying([turn], store(), tools=[first]) as here:
        run = await here.start(tools=BOTH[:1])
        async with within():
            await gate.reached.wait()

        async def two_are_committed() -> bool:
            return await results_of(here, run) == 2

        await until(two_are_committed)
    async with living(["Done."], store(), tools=[second]) as here:
        assert (await here.ended(run)).status == "completed"
        assert len(second.began) == 1
        assert second.began[0].endswith("/2"), "the attempt before is counted"
        assert set(second.began).isdisjoint(first.began)
        assert outputs(here.model.requests[0]) == [f'search: {{"n":{number}}}' for number in (1, 2, 3)]
        assert len(here.model.requests) == 1, "a recorded turn is not asked for again"
        assert (await checked(here, run))[3:8] == [
            *("run.step.created", "run.step.in_progress", "run.queued", "run.in_progress", "run.step.completed"),
        ]


async def test_the_model_reads_that_an_at_most_once_call_was_interrupted(store: Open) -> None:
    gate, second = Gate(), Execute()
    turn: Turn = [call("execute", code="1"), call("execute", code="2")]
    first = Execute(only('{"code":"2"}', gate))
    async with dying([turn], store(), tools=[first]) as here:
        run = await here.start(tools=BOTH[1:])
        async with within():
            await gate.reached.wait()
    async with living(["Done."], store(), tools=[second]) as here:
        assert (await here.ended(run)).status == "completed"
        assert second.began == []
        assert len(first.began) == 2
        _, other = outputs(here.model.requests[0])
        assert other.startswith(UNKNOWN)
        await checked(here, run)


async def test_a_call_that_had_not_started_runs(store: Open) -> None:
    gate, second = Gate(), Execute()
    turn: Turn = [call("execute", code=str(number)) for number in range(10)]
    async with dying([turn], store(), tools=[Execute(held_by(gate))]) as here:
        run = await here.start(tools=BOTH[1:])

        async def eight_have_started() -> bool:
            rows = await here.adapters.store.read(partial(rows_of, run.id))
            return sum(each.status == "started" for row in rows for each in row.calls) == 8

        await until(eight_have_started)
    async with living(["Done."], store(), tools=[second]) as here:
        assert (await here.ended(run)).status == "completed"
        assert len(second.began) == 2
        told = outputs(here.model.requests[0])
        assert [each.startswith(UNKNOWN) for each in told] == [True] * 8 + [False] * 2
        await checked(here, run)


async def test_a_turn_of_both_kinds_still_asks_the_client(store: Open) -> None:
    gate = Gate()
    turn: Turn = [call("weather", city="Rome"), call("search")]
    async with dying([turn], store(), tools=[Search(held_by(gate))]) as here:
        run = await here.start(tools=[WEATHER, *BOTH[:1]])
        async with within():
            await gate.reached.wait()
    async with living(["Sunny."], store(), tools=[Search()]) as here:
        assert (await here.ended(run)).status == "requires_action"
        await checked(here, run)
        await here.submit(run := await here.now(run))
        assert (await here.ended(run)).status == "completed"
        assert outputs(here.model.requests[0]) == ["sunny", "search: {}"]
        await checked(here, run)


async def test_a_worker_that_stops_in_order_leaves_its_calls_to_the_next(any_store: Open) -> None:
    gate, first, second = Gate(), Execute(), Execute()
    first._behaviour = held_by(gate)
    turn: Turn = [call("execute", code="1"), call("search")]
    async with living([turn], any_store(), tools=[first, Search()]) as here:
        run = await here.start(tools=BOTH)
        async with within():
            await gate.reached.wait()

        async def search_is_committed() -> bool:
            return await results_of(here, run) == 1

        await until(search_is_committed)
    searching = Search()
    async with living(["Done."], any_store(), tools=[second, searching]) as here:
        assert (await here.ended(run)).status == "completed"
        assert (second.began, searching.began) == ([], [])
        assert outputs(here.model.requests[0])[0].startswith(UNKNOWN)
        await checked(here, run)


async def test_a_call_of_a_missing_tool_fails(store: Open) -> None:
    gate = Gate()
    async with dying([call("search")], store(), tools=[Search(held_by(gate))]) as here:
        run = await here.start(tools=BOTH[:1])
        async with within():
            await gate.reached.wait()
    async with living(["Done."], store()) as here:
        assert (await here.ended(run)).status == "completed"
        assert outputs(here.model.requests[0]) == ["The tool of this call is not available on this server any more."]
        await checked(here, run)


async def test_a_run_that_is_cancelled_between_two_workers_is_closed_with_its_calls(store: Open) -> None:
    gate = Gate()
    async with dying([call("search")], store(), tools=[Search(held_by(gate))]) as here:
        run = await here.start(tools=BOTH[:1])
        async with within():
            await gate.reached.wait()
    async with living([], store(), tools=[Search()], slots=0) as here:
        assert (await here.now(run)).status == "queued"
        await checked_open(here, run)
        await here.project.cancel(run.thread_id, run.id)
        assert (await here.now(run)).status == "cancelled"
        [step] = await here.steps(run)
        assert step.status == "cancelled"
        await checked(here, run)


async def checked_open(here: World, run: Run) -> None:
    """The step is open while the run is queued, and that is in order."""
    [step] = await here.steps(run)
    assert step.status == "in_progress"
    wrong: list[str] = []
    await examine(here.adapters.store, lambda violation: wrong.append(str(violation)))
    assert wrong == []


async def test_an_owner_that_lost_the_run_writes_no_outcome() -> None:
    gate, late = Gate(), Search()
    late._behaviour = held_by(gate, "late")
    async with world([call("search"), "Done."], tools=[late], slots=0) as here:
        run = await here.start(tools=BOTH[:1])
        old = await claim(here.adapters, run.id, "worker_1")
        assert old is not None
        async with asyncio.TaskGroup() as group, within():
            lost = group.create_task(interrupted(execute(old)))
            await gate.reached.wait()
            assert await end_unowned(here.adapters, run.id, lambda _: Signal.RECOVER)
            new = await claim(here.adapters, run.id, "worker_1")  # by the same name
            assert new is not None
            gate.open()
            assert await lost
        late._behaviour = echo
        await execute(new)
        assert (await here.now(run)).status == "completed"
        assert outputs(here.model.requests[-1]) == ["search: {}"]
        await checked(here, run)


async def interrupted(work: Any) -> bool:
    try:
        await work
    except Interrupted:
        return True
    return False


async def test_a_run_whose_metadata_changes_in_the_middle_of_a_tool_goes_on() -> None:
    gate = Gate()
    async with world(
        [[call("execute", code="1"), call("search")], "Done."], tools=[Execute(held_by(gate)), Search()]
    ) as here:
        run = await here.start(tools=BOTH)
        async with within():
            await gate.reached.wait()
        await here.project.update_run(run.thread_id, run.id, {"a": "b"})
        gate.open()
        assert (await here.ended(run)).metadata == {"a": "b"}
        assert outputs(here.model.requests[1]) == ["done", "search: {}"]
        await checked(here, run)


class Lives:
    """Runs with tools, in a process that dies again and again."""

    def __init__(self, seed: int, path: Path) -> None:
        self._random = Random(seed)
        self._path = path
        self._attempts: dict[str, list[str]] = {}
        """The idempotency keys of each call, in the order of its attempts."""
        self._ended: dict[str, int] = {}
        """How many attempts a call had that was seen to have ended."""
        self._runs: list[Run] = []

    async def live(self) -> None:
        """Begin a few runs, and die."""
        async with doomed(self._turn, self._path, **self._outside()) as here:
            self._runs += [await here.start(tools=BOTH) for _ in range(3)]
            await asyncio.sleep(self._random.random() * 0.15)
            for id, _ in await self._calls(here, ended=True):
                self._ended.setdefault(id, len(self._attempts.get(id, ())))

    async def end(self) -> None:
        """Live until all runs have ended, and look at what was done."""
        async with world(self._turn, path=self._path, **self._outside()) as here, within():
            for run in self._runs:
                assert (await here.ended(run)).status == "completed"
                await checked(here, run)
            for id, each in await self._calls(here):
                keys = self._attempts.get(id, [])
                assert len(set(keys)) == len(keys), "no idempotency key comes twice"
                assert len(keys) <= 1 or each.tool == "file_search", "a call with effects runs once"
                assert self._ended.get(id, len(keys)) == len(keys), "what had ended runs no more"

    async def _calls(self, here: World, *, ended: bool = False) -> list[tuple[str, Call]]:
        found: list[tuple[str, Call]] = []
        for run in self._runs:
            for row in await here.adapters.store.read(partial(rows_of, run.id)):
                found += [(f"{run.id}/{each.id}", each) for each in row.calls if each.ended or not ended]
        return found

    def _outside(self) -> dict[str, Any]:
        return {"clock": FastClock(), "tools": [Search(self._behave), Execute(self._behave)], "lifetime": LONG}

    async def _behave(self, call: Call, session: ToolSession) -> str:
        self._attempts.setdefault(f"{session.run.id}/{call.id}", []).append(session.key)
        await asyncio.sleep(self._random.random() * 0.01)
        return "x"

    def _turn(self, request: ModelRequest) -> Turn:
        rounds = sum("tool_calls" in each for each in request.messages)
        if rounds == 4:
            return "Done."
        count = self._random.randrange(1, 5)
        calls = [call(self._random.choice(["search", "execute"]), code=str(number)) for number in range(count)]
        return [say("Hm."), *calls] if self._random.random() < 0.5 else [*calls]


async def rows_of(run_id: str, tx: Tx) -> list[StepRow]:
    return await tx.steps.of_run(run_id)


@pytest.mark.parametrize("seed", range(8))
async def test_no_finished_call_runs_again_whenever_the_worker_dies(seed: int, tmp_path: Path) -> None:
    lives = Lives(seed, tmp_path / "rs.db")
    for _ in range(4):
        await lives.live()
    await lives.end()
