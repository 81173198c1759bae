"""Many replays at once: few of them hold a page of events, and none holds one while it waits for the next event."""

import asyncio
import tracemalloc
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, aclosing
from typing import Any

from runstead.broker.inprocess import InProcessBroker
from runstead.engine.page_permits import PagePermits
from runstead.interface.streams import RunEventStream
from runstead.llm.scripted import Gate, call, say
from runstead.wire.event import RawEvent
from runstead.wire.run import Run
from tests.support.waiting import until, within
from tests.support.worlds import WEATHER, World, world

READERS = 20


async def replays(here: World, run: Run, stack: AsyncExitStack) -> list[AsyncGenerator[Sequence[RawEvent]]]:
    """Streams of the run's events that are begun, and have read nothing yet."""
    streams = []
    for _ in range(READERS):
        stream: Any = here.project.stream(RunEventStream(run.thread_id, run.id, None))
        streams.append(await stack.enter_async_context(aclosing(stream)))
        assert await anext(streams[-1]) == ()
    return streams


async def test_a_few_replays_hold_a_page_and_the_others_take_turns() -> None:
    async with world(["Hello"], page_permits=PagePermits(4, patience=1000)) as here, within():
        run = await here.ended(await here.start())
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            streams = await replays(here, run, stack)
            first = [group.create_task(anext(stream)) for stream in streams]
            for held in range(4, READERS + 1, 4):
                await until(lambda held=held: sum(task.done() for task in first) == held)
                for _ in range(10):
                    await asyncio.sleep(0)
                assert sum(task.done() for task in first) == held
                for stream in streams[held - 4 : held]:
                    assert [event async for batch in stream for event in batch] == []
            assert {task.result()[-1].name for task in first} == {"thread.run.completed"}


async def test_clients_that_take_nothing_do_not_keep_others_waiting() -> None:
    async with world(["Hello"], page_permits=PagePermits(1, patience=0.001)) as here, within():
        run = await here.ended(await here.start())
        async with AsyncExitStack() as stack:
            for stream in await replays(here, run, stack):
                assert (await anext(stream))[-1].name == "thread.run.completed"


async def test_a_reader_that_waits_keeps_no_page() -> None:
    gate, size = Gate(), 2**18
    async with world([[say("x" * size), call("weather")], [gate, "Sunny."]]) as here, within():
        run = await here.submit(await here.ended(await here.start(tools=[WEATHER])))
        await gate.reached.wait()
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            streams = await replays(here, run, stack)
            tracemalloc.start()
            stack.callback(tracemalloc.stop)
            reading = [group.create_task(_to_the_end(stream)) for stream in streams]
            await until(lambda: _waiting(here) == READERS)
            held, most = tracemalloc.get_traced_memory()
            assert most > size, "each page has the text"
            assert held < READERS * size / 10
            for task in reading:
                task.cancel()


async def _to_the_end(stream: AsyncGenerator[Sequence[RawEvent]]) -> None:
    async for _ in stream:
        del _


def _waiting(here: World) -> int:
    """The readers that wait for a live event."""
    assert isinstance(here.adapters.broker, InProcessBroker)
    subscribers = [subscriber for topic in here.adapters.broker._topics.values() for subscriber in topic.subscribers]
    return sum(subscriber._woken is not None for subscriber in subscribers)
