"""Processes over one database without a broker find out within a second what the others did."""

import asyncio
from functools import partial
from pathlib import Path

import pytest

from runstead.llm.scripted import Gate, call, say
from runstead.wire.event import RawEvent
from runstead.wire.run import Run, RunRequest
from tests.support.postgres import place
from tests.support.reader import Reader
from tests.support.waiting import until, within
from tests.support.worlds import WEATHER, World, names, text_of
from tests.worker.processes import Start, ended, starter


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Leases outlast the test: a worker expires only when the test expires it."""
    return partial(starter(place(tmp_path)), lease=300)


async def owner(here: World, run: Run) -> str | None:
    return (await here.row(run)).owner


async def whole(here: World, run: Run) -> list[str]:
    """The names of all stored events of a run that has ended once, and nothing wrong with them."""
    events = await here.events(run)
    Reader().read(events)
    told = names(events)
    assert sum(isinstance(event.data, Run) and event.data.status.terminal for event in events) == 1
    return told


async def test_an_api_process_leaves_runs_to_the_workers(start: Start) -> None:
    async with start(works=False) as api:
        run = await api.start("Hi")
        assert (await api.now(run)).status == "queued"
        async with start(["Hello!"]):
            assert (await ended(api, run)).status == "completed"


async def test_a_cancel_reaches_another_process_within_a_second_without_a_broker(start: Start) -> None:
    gate = Gate()
    async with start(works=False) as api, start([[say("Half"), gate]]) as worker:
        run = await api.start("Hi")
        async with within():
            await gate.reached.wait()
        asked = asyncio.get_running_loop().time()
        assert (await api.project.cancel(run.thread_id, run.id)).status == "cancelling"
        async with within():
            await worker.model.closed.wait()
        assert (await ended(api, run)).status == "cancelled"
        assert asyncio.get_running_loop().time() - asked < 2
        assert (await whole(api, run))[-1] == "run.cancelled"


async def test_an_overdue_run_ends_once_with_many_processes(start: Start) -> None:
    script = [call("weather")]
    async with start(script, lifetime=1) as one, start() as two, start() as three:
        run = await one.start("Hi", tools=[WEATHER])
        for here in (one, two, three):
            await ended(here, run)

        async def expired() -> bool:
            return (await three.now(run)).status == "expired"

        await until(expired)
        assert (await whole(one, run)).count("run.expired") == 1


async def test_runs_released_by_a_stopping_process_continue_in_another(start: Start) -> None:
    gate = Gate()
    async with start(works=False) as api:
        async with start([call("weather"), [say("Half"), gate]]) as first:
            run = await api.start("Hi", tools=[WEATHER])
            await first.submit(await ended(first, run))
            async with within():
                await gate.reached.wait()
            name = await owner(api, run)
            assert name is not None
        assert (await api.now(run)).status == "queued"
        assert not await api.adapters.store.write(lambda tx: tx.workers.heartbeat(name, 30)), "it has left"
        async with start(["Whole"]):
            assert (await ended(api, run)).status == "completed"
        assert [text_of(message) for message in await api.written(run)] == ["Half", "Whole"]
        assert [(step.type, step.status) for step in await api.steps(run)] == [
            ("tool_calls", "completed"),
            ("message_creation", "failed"),
            ("message_creation", "completed"),
        ]


async def test_each_run_of_a_dead_worker_is_recovered_once_by_many_processes(start: Start) -> None:
    count, gate = 30, Gate()
    async with start(works=False) as api:
        async with start(lambda _: [say("Half"), gate], slots=count) as first:
            request = RunRequest(assistant_id=await api.assistant())
            runs = [await api.project.create_run(await api.thread("Hi"), request) for _ in range(count)]
            await until(lambda: len(first.model.requests) == count)
            gone = await owner(api, runs[0])
            assert gone is not None
            async with start(lambda _: "Whole") as second, start(lambda _: "Whole") as third:
                await api.adapters.store.write(lambda tx: tx.workers.deregister(gone))
                for run in runs:
                    assert (await ended(api, run)).status == "completed"
                assert len(second.model.requests) + len(third.model.requests) == count
                gate.open()
        for run in runs:
            assert (await whole(api, run)).count("run.in_progress") == 2
            assert [text_of(message) for message in await api.written(run)] == ["", "Whole"]


async def test_deltas_of_an_expired_worker_have_older_positions(start: Start) -> None:
    """Its events have positions that everybody has passed, and none is stored."""
    more, gate = Gate(), Gate()
    async with start([[say("Old"), more, say(" words", " more words"), gate]]) as old:
        run = await old.start("Hi")
        async with within():
            await more.reached.wait()
        name = await owner(old, run)
        assert name is not None
        async with old.adapters.broker.subscribe(run.id) as live, start(["New words"]) as new:
            await old.adapters.store.write(lambda tx: tx.workers.deregister(name))
            assert (await ended(new, run)).status == "completed"
            last = (await new.row(run)).seq
            more.open()
            told: list[RawEvent] = []
            async with within():
                async for batch in live:
                    told.extend(batch or ())
                    if told and b" more words" in told[-1].data:
                        break
            assert all(event.at.seq < last for event in told)
        gate.open()
        assert (await whole(old, run))[-1] == "run.completed"
        assert [text_of(message) for message in await old.written(run)] == ["", "New words"]
