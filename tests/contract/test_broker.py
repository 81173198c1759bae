"""What every broker does on a good day. It may do less at any time, and no caller may depend on it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack

import pytest

from runstead.broker.inprocess import InProcessBroker
from runstead.broker.port import Broker, Offer
from runstead.wire.event import EventName, Position, RawEvent
from tests.support.nats import nats_broker
from tests.support.waiting import within

Live = AsyncIterator[Sequence[RawEvent] | None]

BROKERS = ["inprocess", "nats"]


@pytest.fixture(params=BROKERS)
async def broker(request: pytest.FixtureRequest) -> AsyncIterator[Broker]:
    async with AsyncExitStack() as stack:
        match request.param:
            case "nats":
                server = request.getfixturevalue("nats")
                yield await stack.enter_async_context(nats_broker(server, silence=0.02))
            case _:
                yield InProcessBroker(silence=0.02)


def stored(*numbers: int) -> list[RawEvent]:
    return [RawEvent(Position(number), EventName.RUN_QUEUED, b"{}") for number in numbers]


def deltas(seq: int, *numbers: int) -> list[RawEvent]:
    return [RawEvent(Position(seq, number), EventName.MESSAGE_DELTA, b"{}") for number in numbers]


async def heard(live: Live, count: int) -> list[RawEvent]:
    """The next events, however they are batched, with silence left out."""
    events: list[RawEvent] = []
    async with within():
        while len(events) < count:
            told = await anext(live)
            events += told or ()
    assert len(events) == count
    return events


async def silent(live: Live) -> bool:
    """Nothing comes for as long as the broker waits."""
    async with within():
        return await anext(live) is None


async def taken(offers: AsyncIterator[Offer]) -> str:
    """The run that is offered next, once it was taken."""
    offer = await anext(offers)
    offer.ack()
    return offer.run_id


class TestOffers:
    async def test_offers_arrive_in_order(self, broker: Broker) -> None:
        async with broker.offers() as offers, within():
            for run_id in ("run_1", "run_2"):
                await broker.offer(run_id)
            assert [await taken(offers), await taken(offers)] == ["run_1", "run_2"]

    async def test_an_offer_waits_for_a_worker(self, broker: Broker) -> None:
        await broker.offer("run_1")
        async with broker.offers() as offers, within():
            assert await taken(offers) == "run_1"

    async def test_each_offer_goes_to_one_of_the_workers(self, broker: Broker) -> None:
        async with broker.offers() as one, broker.offers() as other, within():
            await broker.offer("run_1")
            await broker.offer("run_2")
            assert {await taken(one), await taken(other)} == {"run_1", "run_2"}

    async def test_an_offer_a_full_worker_leaves_goes_to_another(self, broker: Broker) -> None:
        async with broker.offers() as full, broker.offers() as other, within():
            await broker.offer("run_1")
            assert await taken(full) == "run_1"
            for number in (2, 3, 4):
                await broker.offer(f"run_{number}")
            assert [await taken(other) for _ in range(3)] == ["run_2", "run_3", "run_4"]

    async def test_a_worker_that_leaves_keeps_no_offer(self, broker: Broker) -> None:
        async with broker.offers() as leaving:
            waiting = asyncio.get_running_loop().create_task(taken(leaving))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait([waiting])
        await broker.offer("run_1")
        async with broker.offers() as offers, within(5):
            assert await taken(offers) == "run_1"


class TestEvents:
    async def test_a_subscriber_gets_events_published_after_it_subscribed(self, broker: Broker) -> None:
        await broker.publish("run_1", stored(1))
        async with broker.subscribe("run_1") as live:
            await broker.publish("run_1", stored(2, 3))
            await broker.publish("run_1", deltas(3, 1, 2))
            await broker.publish("run_1", stored(4))
            assert await heard(live, 5) == [*stored(2, 3), *deltas(3, 1, 2), *stored(4)]

    async def test_every_subscriber_gets_the_events(self, broker: Broker) -> None:
        async with AsyncExitStack() as stack:
            listening = [await stack.enter_async_context(broker.subscribe("run_1")) for _ in range(3)]
            await broker.publish("run_1", stored(1))
            assert [await heard(live, 1) for live in listening] == [stored(1)] * 3

    async def test_events_reach_subscribers_of_their_run_alone(self, broker: Broker) -> None:
        async with broker.subscribe("run_1") as live:
            await broker.publish("run_2", stored(1))
            assert await silent(live)

    async def test_a_late_subscriber_gets_the_deltas_of_the_open_message(self, broker: Broker) -> None:
        async with broker.subscribe("run_1") as early:
            await broker.publish("run_1", deltas(3, 1, 2))
            await broker.publish("run_1", deltas(3, 3))
            async with broker.subscribe("run_1") as late:
                await broker.publish("run_1", deltas(3, 4))
                assert await heard(late, 4) == deltas(3, 1, 2, 3, 4)
            assert await heard(early, 4) == deltas(3, 1, 2, 3, 4)

    async def test_deltas_are_kept_without_subscribers(self, broker: Broker) -> None:
        await broker.publish("run_1", deltas(3, 1))
        await broker.publish("run_1", deltas(3, 2))
        async with broker.subscribe("run_1") as live:
            assert await heard(live, 2) == deltas(3, 1, 2)

    async def test_deltas_are_kept_until_the_next_stored_event(self, broker: Broker) -> None:
        await broker.publish("run_1", deltas(3, 1))
        await broker.publish("run_1", stored(4))
        async with broker.subscribe("run_1") as live:
            assert await silent(live)
            await broker.publish("run_1", deltas(4, 1))
            assert await heard(live, 1) == deltas(4, 1)

    async def test_a_silent_subscription_yields_none_again_and_again(self, broker: Broker) -> None:
        async with broker.subscribe("run_1") as live:
            assert await silent(live)
            assert await silent(live)
            await broker.publish("run_1", stored(1))
            assert await heard(live, 1) == stored(1)
            assert await silent(live)

    async def test_publishing_no_events_does_nothing(self, broker: Broker) -> None:
        async with broker.subscribe("run_1") as live:
            await broker.publish("run_1", [])
            assert await silent(live)


class TestInterrupts:
    async def test_every_worker_receives_an_interrupt(self, broker: Broker) -> None:
        async with broker.interrupts() as one, broker.interrupts() as other, within():
            await broker.interrupt("run_1")
            assert [await anext(one), await anext(other)] == ["run_1", "run_1"]

    async def test_an_interrupt_without_receivers_is_no_error(self, broker: Broker) -> None:
        await broker.interrupt("run_1")
        async with broker.interrupts() as interrupts, within():
            await broker.interrupt("run_2")
            assert await anext(interrupts) in {"run_1", "run_2"}
