"""No project delays another, however long its queue: limits, age order, and turns between projects."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from runstead.domain.access import DEFAULT_PROJECT
from runstead.domain.model_call import ModelRequest
from runstead.engine.execution.claimed_run import claim
from runstead.engine.resources.project import Project
from runstead.llm.scripted import Gate, Turn, call
from runstead.store.port import NoRoom, Store
from runstead.store.postgres import PostgresStore
from runstead.store.sqlite import SqliteStore
from runstead.wire.assistant import AssistantRequest
from runstead.wire.error import RateLimited
from runstead.wire.page import ListQuery
from runstead.wire.run import Run, RunRequest, ThreadRunRequest
from runstead.worker.worker import Worker
from tests.support.backlog import backlog
from tests.support.callers import project_of
from tests.support.counting_model import CountingModel
from tests.support.postgres import place, server
from tests.support.waiting import until, within
from tests.support.worlds import WEATHER, World, world

Worlds = Callable[..., Awaitable[list[World]]]


def sqlite(folder: Path) -> Store:
    return SqliteStore(folder / "rs.db")


def postgres(folder: Path) -> Store:
    return PostgresStore(server().url, schema=place(folder))


@pytest.fixture(params=[(sqlite, 1), (postgres, 2)], ids=["one process", "two processes"])
async def worlds(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Worlds]:
    """Starts one application, or two over one store. Their clock stands still, and no offers reach them."""
    make, count = request.param
    async with AsyncExitStack() as running:

        async def start(**outside: Any) -> list[World]:
            return [await running.enter_async_context(world(store=make(tmp_path), **outside)) for _ in range(count)]

        yield start


def order(requests: list[ModelRequest], model: str) -> list[int]:
    """The numbers of a backlog's runs, as the model was asked for them."""
    return [int(str(each.messages[0]["content"])) for each in requests if each.model == model]


async def looked(true: Callable[[], bool], *places: World) -> None:
    """Let the workers look until something is so."""
    async with within():
        while not true():
            await asyncio.gather(*(here.clock.advance(1) for here in places))
            await asyncio.sleep(0.01)


async def test_a_lone_run_behind_a_backlog_is_claimed_at_the_next_poll(worlds: Worlds) -> None:
    gate = Gate()
    model = CountingModel(gate)
    places = await worlds(model=model, max_running=5)
    await backlog(places[0], "big", 2000)
    await looked(lambda: model.active_by_name["big"] == 5, *places)
    await backlog(places[0], "lone", 1)
    for here in places:
        await here.clock.advance(1)
    await until(lambda: model.active_by_name["lone"] == 1)
    assert model.active_by_name["big"] == 5
    gate.open()


async def test_a_backlog_drains_as_runs_end_and_never_exceeds_the_limit(worlds: Worlds) -> None:
    gate = Gate()
    model = CountingModel([gate, "Hello"])
    places = await worlds(model=model, max_running=7)
    runs = await backlog(places[0], "big", 150)
    await looked(lambda: model.active == 7, *places)
    gate.open()  # from here on time stands still: each run that ends frees a slot for the next
    async with within():
        for run in runs:
            project = project_of(places[0].application, "big")
            async for _ in project.run_events(run.thread_id, run.id):
                pass
    assert model.max_active == 7
    assert len(model.requests) == 150


async def test_a_full_worker_next_claims_for_the_project_with_the_fewest_running() -> None:
    gate = Gate()
    model = CountingModel([gate, "Hello"])
    async with world(model=model, slots=3) as here:
        await backlog(here, "big", 100)
        await looked(lambda: model.active == 3, here)
        await backlog(here, "lone", 1)
        await backlog(here, "other", 1)
        gate.open()
        await until(lambda: len(model.requests) == 102 and not model.active)
        assert {each.model for each in model.requests[3:6]} >= {"lone", "other"}
        assert model.max_active == 3


@pytest.mark.parametrize("most", [1, 5000], ids=["a full worker", "a full project"])
async def test_the_oldest_runs_of_a_project_are_claimed_first(most: int) -> None:
    gate = Gate()
    model = CountingModel([gate, "Hello"])
    async with world(model=model, slots=most, max_running=1) as here:
        project = project_of(here.application, "big")
        assistant_id = (await project.create_assistant(AssistantRequest(model="big"))).id
        await backlog(here, "big", 20)
        await looked(lambda: model.active == 1, here)
        late = [
            await project.create_thread_run(ThreadRunRequest(assistant_id=assistant_id, instructions=f"{number}"))
            for number in range(20, 25)
        ]
        gate.open()
        while len(model.requests) < 25:
            number = len(late) + 20
            asked = ThreadRunRequest(assistant_id=assistant_id, instructions=f"{number}")
            late.append(await project.create_thread_run(asked))
        await until(lambda: len(model.requests) == len(late) + 20)
        assert order(model.requests, "big") == list(range(len(late) + 20))


async def test_a_continued_run_queues_by_its_age() -> None:
    gate = Gate()
    script: list[Turn] = [call("weather"), gate, "Sunny.", "Third."]
    async with world(script, max_running=1) as here:
        first = await here.ended(await here.start("First?", tools=[WEATHER]))
        second = await here.start("Second?")
        third = await here.start("Third?")
        async with within():
            await gate.reached.wait()
        assert (await here.submit(first)).status == "queued"
        assert (await here.row(first)).owner is None
        gate.open()
        for run in (first, second, third):
            assert (await here.ended(run)).status == "completed"
        asked = [each.messages[0]["content"] for each in here.model.requests]
        assert asked == ["First?", "Second?", "First?", "Third?"]


async def test_a_queue_that_is_full_refuses_and_writes_nothing() -> None:
    gate = Gate()
    async with world([call("weather"), gate], max_running=1, max_queued=3) as here:
        paused = await here.ended(await here.start(tools=[WEATHER]))
        request = RunRequest(assistant_id=paused.assistant_id)
        for _ in range(4):
            await here.start()
        thread_id = await here.thread("Hello")
        with pytest.raises(RateLimited, match="3 runs that wait") as refused:
            await here.project.create_run(thread_id, request)
        assert refused.value.retry_after >= 1
        assert not (await here.project.runs(thread_id)).data

        async def threads() -> int:
            page = await here.adapters.store.read(lambda tx: tx.threads.page(DEFAULT_PROJECT, ListQuery(limit=100)))
            return len(page.data) if page else 0

        before = await threads()
        with pytest.raises(RateLimited):
            await here.project.create_thread_run(ThreadRunRequest(assistant_id=paused.assistant_id))
        assert await threads() == before
        assert (await here.submit(paused)).status == "queued", "a run under way is not refused"
        elsewhere = project_of(here.application, "another")
        assistant = await elsewhere.create_assistant(AssistantRequest(model="m", instructions="Help."))
        run = await elsewhere.create_thread_run(ThreadRunRequest(assistant_id=assistant.id))
        assert run.status == "queued", "another project's queue is not full"


async def test_a_full_worker_leaves_offers_to_others() -> None:
    gate = Gate()
    async with world([gate, gate, "Third."], slots=1) as here, asyncio.TaskGroup() as group:
        second, third = (Worker(here.adapters, f"worker_{n}", slots=1) for n in (2, 3))
        await here.start()
        group.create_task(second.run())
        await offered(here)
        await until(lambda: len(here.model.requests) == 2)
        # Both are full, and the clock stands still: the third worker gets the offer only if they leave it.
        run = await offered(here)
        group.create_task(third.run())
        assert (await here.ended(run)).status == "completed"
        gate.open()
        second.stop()
        third.stop()


async def offered(here: World) -> Run:
    """A run that is made in another process, and offered by it."""
    alone = Project(here.adapters, DEFAULT_PROJECT)
    thread_id, request = await here.thread("Hi"), RunRequest(assistant_id=await here.assistant())
    return await alone.create_run(thread_id, request)


async def test_a_claim_in_a_project_at_its_limit_writes_nothing() -> None:
    async with world(slots=0, max_running=1) as here:
        first, second = await backlog(here, "big", 2)
        hold = await claim(here.adapters, second.id, "worker_1")
        assert hold is not None
        assert hold.run.id == first.id, "the oldest has its turn"
        before = await here.row(second)
        with pytest.raises(NoRoom):
            await claim(here.adapters, second.id, "worker_1")
        assert await here.row(second) == before
