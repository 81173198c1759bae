"""Every broker while nothing fails. It may do less at any time, and no caller may depend on it."""

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


async def received(live: Live, count: int) -> list[RawEvent]:
    """The next events, in any batches. Timeouts are skipped."""
    events: list[RawEvent] = []
    async with within():
        while len(events) < count:
            batch = await anext(live)
            events += batch or ()
    assert len(events) == count
    return events


async def silent(live: Live) -> bool:
    """No event arrives within the broker's timeout."""
    async with within():
        return await anext(live) is None


async def next_run(offers: AsyncIterator[Offer]) -> str:
    """The id of the next offer, which is acknowledged."""
    offer = await anext(offers)
    offer.ack()
    return offer.run_id


class TestOffers:
    async def test_offers_arrive_in_order(self, broker: Broker) -> None:
        async with broker.offers() as offers, within():
            for run_id in ("run_1", "run_2"):
                await broker.offer(run_id)
            assert [await next_run(offers), await next_run(offers)] == ["run_1", "run_2"]

    async def test_an_offer_waits_for_a_worker(self, broker: Broker) -> None:
        await broker.offer("run_1")
        async with broker.offers() as offers, within():
            assert await next_run(offers) == "run_1"

    async def test_each_offer_goes_to_one_of_the_workers(self, broker: Broker) -> None:
        async with broker.offers() as one, broker.offers() as other, within():
            await broker.offer("run_1")
            await broker.offer("run_2")
            assert {await next_run(one), await next_run(other)} == {"run_1", "run_2"}

    async def test_offers_that_a_full_worker_does_not_request_go_to_another(self, broker: Broker) -> None:
        async with broker.offers() as full, broker.offers() as other, within():
            await broker.offer("run_1")
            assert await next_run(full) == "run_1"
            for number in (2, 3, 4):
                await broker.offer(f"run_{number}")
            assert [await next_run(other) for _ in range(3)] == ["run_2", "run_3", "run_4"]

    async def test_a_stopped_worker_keeps_no_offer(self, broker: Broker) -> None:
        async with broker.offers() as stopping:
            waiting = asyncio.get_running_loop().create_task(next_run(stopping))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait([waiting])
        await broker.offer("run_1")
        async with broker.offers() as offers, within(5):
            assert await next_run(offers) == "run_1"


class TestEvents:
    async def test_a_subscriber_gets_events_published_after_it_subscribed(self, broker: Broker) -> None:
        await broker.publish("run_1", stored(1))
        async with broker.subscribe("run_1") as live:
            await broker.publish("run_1", stored(2, 3))
            await broker.publish("run_1", deltas(3, 1, 2))
            await broker.publish("run_1", stored(4))
            assert await received(live, 5) == [*stored(2, 3), *deltas(3, 1, 2), *stored(4)]

    async def test_every_subscriber_gets_the_events(self, broker: Broker) -> None:
        async with AsyncExitStack() as stack:
            subscriptions = [await stack.enter_async_context(broker.subscribe("run_1")) for _ in range(3)]
            await broker.publish("run_1", stored(1))
            assert [await received(live, 1) for live in subscriptions] == [stored(1)] * 3

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
                assert await received(late, 4) == deltas(3, 1, 2, 3, 4)
            assert await received(early, 4) == deltas(3, 1, 2, 3, 4)

    async def test_deltas_are_kept_without_subscribers(self, broker: Broker) -> None:
        await broker.publish("run_1", deltas(3, 1))
        await broker.publish("run_1", deltas(3, 2))
        async with broker.subscribe("run_1") as live:
            assert await received(live, 2) == deltas(3, 1, 2)

    async def test_deltas_are_kept_until_the_next_stored_event(self, broker: Broker) -> None:
        await broker.publish("run_1", deltas(3, 1))
        await broker.publish("run_1", stored(4))
        async with broker.subscribe("run_1") as live:
            assert await silent(live)
            await broker.publish("run_1", deltas(4, 1))
            assert await received(live, 1) == deltas(4, 1)

    async def test_a_silent_subscription_yields_none_again_and_again(self, broker: Broker) -> None:
        async with broker.subscribe("run_1") as live:
            assert await silent(live)
            assert await silent(live)
            await broker.publish("run_1", stored(1))
            assert await received(live, 1) == stored(1)
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
