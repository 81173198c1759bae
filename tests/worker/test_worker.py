"""The worker executes thousands of runs at once, each run once, and loses none."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from runstead.domain.access import DEFAULT_PROJECT
from runstead.domain.model_call import ModelRequest
from runstead.engine.execution.claimed_run import claim
from runstead.engine.resources.project import Project
from runstead.llm.scripted import Gate, Turn, call, say
from runstead.store.sqlite import SqliteStore
from runstead.wire.run import Run, RunRequest
from runstead.worker.maintenance.recover_runs import recover_runs
from runstead.worker.worker import Worker
from tests.support.clock import FastClock
from tests.support.counting_model import CountingModel
from tests.support.flaky import FlakyStore
from tests.support.lossy import LossyBroker
from tests.support.reader import Reader
from tests.support.slow_answers import SlowAnswers
from tests.support.waiting import until, within
from tests.support.worlds import WEATHER, World, names, text_of, world


def resident() -> int:
    """Bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


async def start(here: World, count: int) -> list[Run]:
    """Many runs at once."""
    assistant_id = await here.assistant()
    request = RunRequest(assistant_id=assistant_id, instructions="Help.")

    async def one() -> Run:
        return await here.project.create_run(await here.thread(), request)

    return list(await asyncio.gather(*(one() for _ in range(count))))


async def ended(here: World, runs: list[Run]) -> list[Run]:
    return list(await asyncio.gather(*(here.ended(run) for run in runs)))


async def test_a_thousand_runs_wait_at_once_and_cost_little() -> None:
    gate, count = Gate(), 1000
    model = CountingModel([gate, "Hello"])
    async with world(model=model) as here:
        await start(here, 50)
        await until(lambda: model.active == 50)
        before = resident()
        runs = await start(here, count)
        await until(lambda: model.active == 50 + count)
        assert (resident() - before) / count < 100 * 1024
        gate.open()
        assert {run.status for run in await ended(here, runs)} == {"completed"}
        await until(lambda: not model.active)


async def test_runs_beyond_the_slots_wait() -> None:
    model = CountingModel([say("a", "b", "c")])
    async with world(model=model, slots=3) as here:
        runs = await start(here, 30)
        assert {run.status for run in await ended(here, runs)} == {"completed"}
        assert model.max_active == 3


async def test_runs_that_wait_for_a_slot_come_before_later_ones() -> None:
    gate = Gate()
    async with world([gate, "Second.", "Third."], slots=1) as here:
        await here.start("First?")
        async with within():
            await gate.reached.wait()
        await here.start("Second?")
        thread_id, request = await here.thread("Third?"), RunRequest(assistant_id=await here.assistant())
        gate.open()
        async with within():
            while not here.worker._free:  # noqa: ASYNC110 - the very moment that a slot is free
                await asyncio.sleep(0)
            await here.ended(await here.project.create_run(thread_id, request))
        asked = [each.messages[-1]["content"] for each in here.model.requests]
        assert asked == ["First?", "Second?", "Third?"]


async def test_a_lost_offer_is_found_by_a_poll() -> None:
    async with world(["Hello"], broker=LossyBroker(1, loss=1.0), clock=FastClock()) as here:
        alone = Project(here.adapters, DEFAULT_PROJECT)  # as in a process without a worker
        run = await alone.create_run(await here.thread("Hi"), RunRequest(assistant_id=await here.assistant()))
        assert run.status == "queued"
        assert (await here.ended(run)).status == "completed"


async def test_a_run_created_elsewhere_is_offered() -> None:
    async with world(["Hello"]) as here:  # the clock stands still: no worker polls
        alone = Project(here.adapters, DEFAULT_PROJECT)
        run = await alone.create_run(await here.thread("Hi"), RunRequest(assistant_id=await here.assistant()))
        assert names(await here.events(run))[-1] == "run.completed"


async def test_a_run_past_its_deadline_is_not_claimed() -> None:
    async with world(slots=0) as here:
        run = await here.start()
        here.clock.slip(600)
        assert await claim(here.adapters, run.id, "some worker") is None
        assert (await here.now(run)).status == "queued"


async def test_a_run_cancelled_during_its_claim_asks_no_model() -> None:
    store = SlowAnswers(SqliteStore(":memory:"))
    async with world([[Gate()]], store=store, slots=0) as here, asyncio.TaskGroup() as group:
        run = await here.start()
        store.hold()
        worker = Worker(here.adapters, "worker_1")  # the clock stands still: it looks for what must stop never again
        group.create_task(worker.run())
        async with within(2):
            await store.held.wait()
            assert (await here.project.cancel(run.thread_id, run.id)).status == "cancelling"
            await until(lambda: run.id in worker._executor._interrupted_early)
            store.release()
            assert names(await here.events(run))[2:] == ["run.in_progress", "run.cancelling", "run.cancelled"]
        assert here.model.requests == []
        worker.stop()


async def test_a_run_whose_creator_is_cancelled_during_the_commit_is_executed_all_the_same() -> None:
    store = SlowAnswers(SqliteStore(":memory:"))
    async with world(["Hello"], store=store, clock=FastClock()) as here, asyncio.TaskGroup() as group:
        thread_id, request = await here.thread("Hi"), RunRequest(assistant_id=await here.assistant())
        store.hold()
        creating = group.create_task(here.project.create_run(thread_id, request))
        async with within():
            await store.held.wait()
            creating.cancel()
            await asyncio.wait([creating])
            [run] = (await here.project.runs(thread_id)).data
            assert names(await here.events(run))[-1] == "run.completed"


async def test_a_worker_that_stops_releases_a_run_whose_creation_is_under_way(tmp_path: Path) -> None:
    store = SlowAnswers(SqliteStore(tmp_path / "rs.db"))
    async with asyncio.TaskGroup() as group, world([[Gate()]], store=store) as here:
        thread_id, request = await here.thread("Hi"), RunRequest(assistant_id=await here.assistant())
        store.hold()
        creating = group.create_task(here.project.create_run(thread_id, request))
        async with within():
            await store.held.wait()
        here.worker.stop()
        store.release()
        assert (await creating).status == "queued"
    async with world(["Hello"], path=tmp_path / "rs.db") as here:
        [run] = (await here.project.runs(thread_id)).data
        assert names(await here.events(run))[-1] == "run.completed"


async def test_a_lost_interrupt_is_found_by_a_poll() -> None:
    gate = Gate()
    async with world([[say("Half"), gate]], broker=LossyBroker(1, loss=1.0), clock=FastClock()) as here:
        run = await here.start()
        async with within():
            await gate.reached.wait()
        await here.project.cancel(run.thread_id, run.id)
        async with within():
            await here.model.closed.wait()
        assert (await here.ended(run)).status == "cancelled"


async def test_each_run_is_claimed_by_one_of_many_workers() -> None:
    model = CountingModel()
    async with world(model=model, broker=LossyBroker(3, loss=0.3), clock=FastClock(), slots=0) as here:
        alone = Project(here.adapters, DEFAULT_PROJECT)
        workers = [Worker(here.adapters, f"worker_{n}") for n in range(4)]
        async with asyncio.TaskGroup() as group:
            for worker in workers:
                group.create_task(worker.run())
            request = RunRequest(assistant_id=await here.assistant())
            runs = [await alone.create_run(await here.thread("Hi"), request) for _ in range(40)]
            assert {run.status for run in await ended(here, runs)} == {"completed"}
            for worker in workers:
                worker.stop()
        assert len(model.requests) == 40, "none was executed twice"
        for run in runs:
            Reader().read(await here.events(run))


async def test_a_worker_whose_run_was_recovered_writes_nothing_more() -> None:
    gate = Gate()
    turns: list[Turn] = [[say("Old"), gate, say(" words")], "New words"]
    async with world(turns, clock=FastClock()) as here:
        run = await here.start()
        async with within():
            await gate.reached.wait()
        [old] = await here.written(run)
        owner = (await here.row(run)).owner or ""
        await here.adapters.store.write(lambda tx: tx.workers.deregister(owner))
        assert await recover_runs(here.adapters) == 1
        gate.open()
        assert (await here.ended(run)).status == "completed"
        Reader().read(await here.events(run))
        cut, new = await here.written(run)
        assert (cut.id, cut.status, text_of(new)) == (old.id, "incomplete", "New words")
        assert text_of(cut) == "", "what the old worker had in its hands is lost, and not written late"


async def test_a_released_run_continues_in_the_next_worker(tmp_path: Path) -> None:
    gate = Gate()
    path = tmp_path / "rs.db"
    async with world([[say("Half"), gate]], path=path) as here:
        run = await here.start()
        async with within():
            await gate.reached.wait()
    async with world(["Whole"], path=path) as here:
        assert (await here.ended(run)).status == "completed"
        events = await here.events(run)
        Reader().read(events)
        assert names(events)[7:10] == ["message.incomplete", "run.step.failed", "run.queued"]
        half, whole = await here.written(run)
        assert (text_of(half), half.status) == ("Half", "incomplete")
        assert (text_of(whole), whole.status) == ("Whole", "completed")
        assert [each["content"] for each in here.model.requests[0].messages] == ["Hello"]


async def test_a_follower_sees_the_release_of_a_run() -> None:
    gate = Gate()
    async with world([[say("Half"), gate]]) as here:
        run = await here.start()
        async with within():
            await gate.reached.wait()
        stream = here.project.run_events(run.thread_id, run.id)
        events = [await anext(stream) for _ in range(8)]
        here.worker.stop()
        async with within():
            events += [await anext(stream) for _ in range(3)]
        assert names(events)[-3:] == ["message.incomplete", "run.step.failed", "run.queued"]
        await stream.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize("seed", range(8))
async def test_a_store_that_fails_for_a_moment_loses_no_run(seed: int) -> None:
    store = FlakyStore(SqliteStore(":memory:"), seed)
    async with world(lambda _: say("a", "b", "c"), store=store, clock=FastClock()) as here:
        request = RunRequest(assistant_id=await here.assistant())
        threads = [await here.thread("Hi") for _ in range(20)]
        store.failing = True
        answers = await asyncio.gather(
            *(here.project.create_run(thread_id, request) for thread_id in threads), return_exceptions=True
        )
        runs = [answer for answer in answers if isinstance(answer, Run)]
        before = store.failures
        await until(lambda: store.failures >= before + len(runs))
        store.failing = False
        assert runs
        for run in await ended(here, runs):
            assert run.status == "completed", "it is no fault of the run"
            Reader().read(await here.events(run))
            assert (await here.ended(await here.again(run))).status == "completed"


@pytest.mark.parametrize("seed", range(10))
async def test_cancelling_at_any_moment_ends_each_run_once(seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    turns: list[Turn] = [say("a", "b", "c"), [say("a"), call("weather")], [call("weather"), call("weather")]]
    path = tmp_path / "rs.db" if seed % 2 else ":memory:"

    def turn(request: ModelRequest) -> Turn:
        return say("a", "b", "c") if request.messages[-1]["role"] == "tool" else random.choice(turns)

    async with world(turn, path=path, clock=FastClock()) as here:
        runs = [await here.start(tools=[WEATHER]) for _ in range(20)]

        async def drive(run: Run) -> Run:
            while True:
                now = await here.ended(run)
                if now.status != "requires_action":
                    return now
                await asyncio.gather(here.submit(now), asyncio.sleep(0), return_exceptions=True)

        async def cancel(run: Run) -> bool:
            await asyncio.sleep(random.random() * 0.02)
            answer = await asyncio.gather(here.project.cancel(run.thread_id, run.id), return_exceptions=True)
            return isinstance(answer[0], Run)

        async with within():
            outcomes = await asyncio.gather(*(asyncio.gather(drive(run), cancel(run)) for run in runs))
        for run, cancelled in outcomes:
            events = await here.events(run)
            Reader().read(events)
            assert run.status in ({"cancelled", "completed"} if cancelled else {"completed"})
            assert sum(isinstance(event.data, Run) and event.data.status.terminal for event in events) == 1
