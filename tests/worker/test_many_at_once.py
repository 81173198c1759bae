"""Events of hundreds of runs in the same moment are handled in many turns of the event loop, each of them short.

The counts are calls of the store that begin in one turn, or readers that receive an event in it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from runstead.interface.streams import RunEventStream
from runstead.llm.scripted import Gate, say
from runstead.store.port import Lane, Store, Tx
from runstead.wire.assistant import AssistantRequest
from runstead.wire.message import MessageRequest
from runstead.wire.run import Run, Status, ThreadRunRequest
from runstead.wire.thread import ThreadRequest
from tests.contract.store.adapters import ADAPTERS, Adapter
from tests.support.waiting import until
from tests.support.worlds import World, world
from tests.support.wrapped import WrappedStore

T = TypeVar("T")

RUNS = 500
CREATORS = 20
MOST = 150
"""Twice the budget of a turn, and what else there is to do."""


class CountingStore(WrappedStore):
    """Counts the calls that begin."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner)
        self.begun = 0

    async def read(self, work: Callable[[Tx], Awaitable[T]], *, single: bool = False, lane: Lane = Lane.CALL) -> T:
        self.begun += 1
        return await super().read(work, single=single, lane=lane)

    async def write(self, work: Callable[[Tx], Awaitable[T]], *, single: bool = False, lane: Lane = Lane.CALL) -> T:
        self.begun += 1
        return await super().write(work, single=single, lane=lane)


class Peak:
    """The largest growth of a count in one turn of the loop."""

    def __init__(self, count: Callable[[], int]) -> None:
        self._count = count
        self._before = count()
        self.most = 0

    async def watch(self) -> None:
        while True:
            now = self._count()
            self.most = max(self.most, now - self._before)
            self._before = now
            await asyncio.sleep(0)


@asynccontextmanager
async def peak(count: Callable[[], int]) -> AsyncIterator[Peak]:
    """Watches a count inside the block."""
    watching = Peak(count)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(watching.watch())
        yield watching
        task.cancel()


@pytest.fixture(params=[each for each in ADAPTERS if each.name != "memory"], ids=lambda adapter: adapter.name)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> CountingStore:
    adapter: Adapter = request.param
    return CountingStore(adapter.make(tmp_path))


async def waiting_runs(here: World) -> list[Run]:
    """Runs that all wait for the model."""
    assistant = await here.project.create_assistant(AssistantRequest(model="any"))
    thread = ThreadRequest(messages=[MessageRequest(role="user", content="Hello")])
    request = ThreadRunRequest(assistant_id=assistant.id, thread=thread)

    async def create() -> list[Run]:
        return [await here.project.create_thread_run(request) for _ in range(RUNS // CREATORS)]

    created = await asyncio.gather(*(create() for _ in range(CREATORS)))
    await until(lambda: len(here.model.requests) == RUNS)
    return [run for runs in created for run in runs]


async def all_have(here: World, runs: list[Run], status: Status) -> None:
    for run in runs:
        assert (await here.ended(run)).status is status


async def test_answers_that_arrive_together(store: CountingStore) -> None:
    gate = Gate()
    async with world(lambda _: [gate, say("Hello")], store=store, max_running=0) as here:
        runs = await waiting_runs(here)
        async with peak(lambda: store.begun) as opening:
            gate.open()
            await until(lambda: not any(here.worker.executes(run.id) for run in runs))
        assert opening.most < MOST
        await all_have(here, runs, Status.COMPLETED)


async def test_runs_that_expire_together(store: CountingStore) -> None:
    gate = Gate()
    async with world(lambda _: [gate], store=store, max_running=0) as here:
        runs = await waiting_runs(here)
        async with peak(lambda: store.begun) as interrupting:
            await here.clock.advance(here.adapters.limits.lifetime + 1)
            await until(lambda: not any(here.worker.executes(run.id) for run in runs))
        assert interrupting.most < MOST
        await all_have(here, runs, Status.EXPIRED)


async def test_runs_that_are_released_together(store: CountingStore) -> None:
    gate = Gate()
    async with peak(lambda: store.begun) as releasing:
        async with world(lambda _: [gate], store=store, max_running=0) as here:
            await waiting_runs(here)
            releasing.most = 0
        assert releasing.most < MOST


async def test_readers_of_one_run(store: CountingStore) -> None:
    gate, received = Gate(), [0]

    async def read(run: Run) -> None:
        async with aclosing(here.project.stream(RunEventStream(run.thread_id, run.id, None))) as batches:
            async for events in batches:
                received[0] += bool(events)

    async with world(lambda _: [gate, say("Hello")], store=store) as here:
        run = await here.start("Hi")
        async with asyncio.TaskGroup() as readers:
            for _ in range(RUNS):
                readers.create_task(read(run))
            await until(lambda: received[0] >= RUNS)
            async with peak(lambda: received[0]) as reading:
                gate.open()
                await here.ended(run)
        assert reading.most < MOST
