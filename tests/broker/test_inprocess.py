"""The in-process broker: what it keeps of a run, and how subscribers wait."""

import asyncio
from typing import Any

from runstead.broker.backlog import Backlog
from runstead.broker.inprocess import InProcessBroker
from runstead.broker.subscriber import BACKLOG
from runstead.wire.event import EventName, Position, RawEvent
from tests.support.waiting import within


def delta(number: int) -> RawEvent:
    return RawEvent(Position(1, number), EventName.MESSAGE_DELTA, b"{}")


def stored(number: int) -> RawEvent:
    return RawEvent(Position(number), EventName.RUN_QUEUED, b"{}")


async def test_no_state_is_kept_for_a_run_without_deltas_or_subscribers() -> None:
    broker = InProcessBroker()
    async with broker.subscribe("run_1") as live:
        await broker.publish("run_1", [delta(1)])
        await broker.publish("run_1", [stored(2)])
        async with within():
            await anext(live)
    for n in range(100):
        await broker.publish(f"run_{n}", [stored(1)])
        async with broker.subscribe(f"run_{n}"):
            pass
    assert not broker._topics


async def test_deltas_are_kept_when_the_last_subscriber_leaves() -> None:
    broker = InProcessBroker()
    async with broker.subscribe("run_1"):
        await broker.publish("run_1", [delta(1)])
    async with broker.subscribe("run_1") as live, within():
        assert await anext(live) == [delta(1)]


async def test_waiting_events_arrive_as_one_batch() -> None:
    broker = InProcessBroker()
    async with broker.subscribe("run_1") as live, within():
        for number in range(1, 4):
            await broker.publish("run_1", [delta(number)])
        assert await anext(live) == [delta(1), delta(2), delta(3)]


async def test_a_slow_subscriber_reads_the_store() -> None:
    broker = InProcessBroker()
    async with broker.subscribe("run_1") as live, within():
        for number in range(1, BACKLOG + 2):
            await broker.publish("run_1", [delta(number)])
        await broker.publish("run_1", [stored(2)])
        assert await anext(live) is None
        assert await anext(live) == [stored(2)]


async def test_events_that_wait_are_bounded_over_all_subscribers() -> None:
    """The subscriber whose events do not fit reads the store. Those of a subscriber that reads at once do not count."""
    backlog = Backlog(3_000)
    broker = InProcessBroker(backlog=backlog)
    large = RawEvent(Position(1), EventName.RUN_QUEUED, b"x" * 1_000)
    async with broker.subscribe("run_1") as slow, broker.subscribe("run_2") as slower, within():
        async with broker.subscribe("run_3") as fast:
            for _ in range(5):
                await broker.publish("run_3", [large])
                assert await anext(fast) == [large]
        assert backlog.held == 0
        for _ in range(3):
            await broker.publish("run_1", [large])
        assert 2_000 < backlog.held < 3_000
        for _ in range(2):
            await broker.publish("run_2", [large])
        assert await anext(slower) is None
        assert await anext(slow) == [large] * 3
        assert backlog.held == 0
        for _ in range(2):
            await broker.publish("run_2", [large])
        assert await anext(slower) == [large] * 2
        await broker.publish("run_1", [large])
        await broker.publish("run_1", [large])
        assert backlog.held > 0
    assert backlog.held == 0


async def test_an_event_at_the_moment_of_the_timeout_is_not_lost() -> None:
    broker = InProcessBroker(silence=0.01)
    async with broker.subscribe("run_1") as live, within():
        waiting: asyncio.Task[Any] = asyncio.get_running_loop().create_task(anext(live))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        [subscriber] = broker._topics["run_1"].subscribers
        subscriber._last -= 1
        subscriber._timed_out()
        await broker.publish("run_1", [stored(1)])
        assert await waiting is None
        assert await anext(live) == [stored(1)]


async def test_unsubscribing_cancels_the_timer() -> None:
    broker = InProcessBroker(silence=0.01)
    async with broker.subscribe("run_1"):
        [subscriber] = broker._topics["run_1"].subscribers
    assert subscriber._timer.cancelled()


async def test_offers_that_no_worker_takes_are_bounded() -> None:
    broker = InProcessBroker()
    for number in range(30_000):
        await broker.offer(f"run_{number}")
    async with broker.offers() as offers, within():
        waiting = [(await anext(offers)).run_id for _ in range(10_000)]
        await broker.offer("run_last")
        assert (await anext(offers)).run_id == "run_last"
    assert waiting == [f"run_{number}" for number in range(20_000, 30_000)], "the newest are kept"
