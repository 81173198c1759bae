"""Two brokers on one server: offers, kept deltas, thousands of subscribers, and subscribers that do not read."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack

import pytest

from runstead.broker.nats import NatsBroker
from runstead.broker.port import Offer
from runstead.broker.subscriber import BACKLOG
from runstead.wire.event import EventName, Position, RawEvent
from tests.support.nats import NatsServer, nats_broker, request, subscribed
from tests.support.waiting import until, within

Live = AsyncIterator[Sequence[RawEvent] | None]


def delta(number: int, seq: int = 1, data: bytes = b"{}") -> RawEvent:
    return RawEvent(Position(seq, number), EventName.MESSAGE_DELTA, data)


def stored(seq: int, data: bytes = b"{}") -> RawEvent:
    return RawEvent(Position(seq), EventName.RUN_QUEUED, data)


async def next_run(offers: AsyncIterator[Offer]) -> str:
    offer = await anext(offers)
    offer.ack()
    return offer.run_id


async def received(live: Live, count: int) -> list[RawEvent]:
    events: list[RawEvent] = []
    async with within():
        while len(events) < count:
            batch = await anext(live)
            events += batch or ()
    return events


@pytest.fixture
async def brokers(nats: NatsServer, request: pytest.FixtureRequest) -> AsyncIterator[tuple[NatsBroker, NatsBroker]]:
    name = request.node.name[5:40]
    async with nats_broker(nats, name) as here, nats_broker(nats, name) as there:
        yield here, there


async def test_each_offer_reaches_one_of_many_workers(brokers: tuple[NatsBroker, NatsBroker]) -> None:
    claimed: list[str] = []
    offered = [f"run_{number}" for number in range(300)]

    async def work(broker: NatsBroker) -> None:
        async with broker.offers() as offers:
            while True:
                claimed.append(await next_run(offers))

    async with asyncio.TaskGroup() as group:
        workers = [group.create_task(work(broker)) for broker in (*brokers, *brokers)]
        for run_id in offered:
            await brokers[0].offer(run_id)
        await until(lambda: len(claimed) >= len(offered))
        for worker in workers:
            worker.cancel()
    assert sorted(claimed) == sorted(offered)


async def test_a_run_can_be_offered_again_at_once(brokers: tuple[NatsBroker, NatsBroker]) -> None:
    here, there = brokers
    async with there.offers() as offers, within():
        for _ in range(3):
            await here.offer("run_1")
            assert await next_run(offers) == "run_1"


async def test_a_full_queue_refuses_offers_without_an_error(
    nats: NatsServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("runstead.broker.nats.jetstream._MAX_OFFERS", 2)
    async with nats_broker(nats) as here:
        for number in range(3):
            await here.offer(f"run_{number}")
        await until(lambda: "an offer was refused" in caplog.text)
        async with here.offers() as offers, within():
            assert [await next_run(offers), await next_run(offers)] == ["run_0", "run_1"]
            await here.offer("run_3")
            assert await next_run(offers) == "run_3"


async def test_an_offer_requested_by_a_stopped_worker_goes_to_another(
    brokers: tuple[NatsBroker, NatsBroker],
) -> None:
    here, there = brokers
    async with there.offers() as offers:
        waiting = asyncio.get_running_loop().create_task(next_run(offers))
        await asyncio.sleep(0)
        waiting.cancel()
    await here.offer("run_1")
    async with here.offers() as offers, asyncio.timeout(5):
        assert await next_run(offers) == "run_1"


async def test_a_late_subscriber_elsewhere_gets_kept_deltas_then_live_events(
    brokers: tuple[NatsBroker, NatsBroker],
) -> None:
    here, there = brokers
    await here.publish("run_1", [stored(1)])
    for number in range(1, 2001):
        await here.publish("run_1", [delta(number)])
        if number % 100 == 0:
            await asyncio.sleep(0)
    async with there.subscribe("run_1") as live:
        for number in range(2001, 2101):
            await here.publish("run_1", [delta(number)])
        assert await received(live, 2100) == [delta(number) for number in range(1, 2101)]
    await here.publish("run_1", [stored(2)])
    await here.publish("run_1", [delta(1, seq=2)])
    await request(here, "$JS.API.INFO")  # the events have arrived by now
    async with there.subscribe("run_1") as live:
        events = await received(live, 1)
        while not events[-1].at.delta:
            events += await received(live, 1)
        assert [event for event in events if event.at.delta] == [delta(1, seq=2)], (
            "deltas of the older message are not kept"
        )


async def test_subscribing_in_mid_message_misses_no_delta(brokers: tuple[NatsBroker, NatsBroker]) -> None:
    here, there = brokers
    last = 300

    async def follow(run_id: str) -> list[RawEvent]:
        async with there.subscribe(run_id) as live:
            events = await received(live, 1)
            while events[-1].at.delta < last:
                events += await received(live, 1)
            return events

    async with asyncio.TaskGroup() as group:
        following = []
        for number in range(1, last + 1):
            await here.publish("run_1", [delta(number)])
            if number % 3 == 0:
                following.append(group.create_task(follow("run_1")))
            await asyncio.sleep(0.0005)
    for task in following:
        assert task.result() == [delta(number) for number in range(1, last + 1)]


async def test_an_event_too_large_for_a_message_makes_subscribers_read_the_store(
    brokers: tuple[NatsBroker, NatsBroker],
) -> None:
    here, there = brokers
    half = b"x" * 400_000
    async with there.subscribe("run_1") as live, within():
        await subscribed(there)
        await here.publish("run_1", [stored(1, half), stored(2, half), stored(3, half)])
        assert await received(live, 3) == [stored(1, half), stored(2, half), stored(3, half)]
        await here.publish("run_1", [stored(4, half * 4)])
        assert await anext(live) is None
        await here.publish("run_1", [stored(5)])
        assert await anext(live) == [stored(5)]


async def test_a_subscriber_that_does_not_read_slows_no_other(brokers: tuple[NatsBroker, NatsBroker]) -> None:
    here, there = brokers
    async with there.subscribe("run_1") as slow, there.subscribe("run_1") as quick:
        await subscribed(there)
        published = 0
        while published <= BACKLOG:
            await here.publish("run_1", [delta(number) for number in range(published + 1, published + 2001)])
            published += 2000
            assert len(await received(quick, 2000)) == 2000
        async with within():
            assert await anext(slow) is None


@pytest.mark.parametrize("run_id", ["*", ">", "a.b", "a b", "\r\nPUB x 1\r\n", "", "x" * 10_000, "ü"])
async def test_an_id_from_a_request_is_only_a_name_in_a_subject(nats: NatsServer, run_id: str) -> None:
    async with (
        nats_broker(nats, "strange") as here,
        nats_broker(nats, "strange") as there,
        there.subscribe(run_id) as live,
    ):
        await subscribed(there)
        await here.publish("run_1", [stored(1)])
        await here.publish(run_id, [stored(2)])
        assert await received(live, 1) == [stored(2)]


async def test_a_thousand_subscribers_to_one_run_and_one_to_each_of_a_thousand_runs(
    brokers: tuple[NatsBroker, NatsBroker],
) -> None:
    here, there = brokers
    for runs in (["run_1"] * 1000, [f"run_{number}" for number in range(1000)]):
        async with AsyncExitStack() as stack, asyncio.timeout(15):
            listening = [await stack.enter_async_context(there.subscribe(run_id)) for run_id in runs]
            await subscribed(there)
            for run_id in set(runs):
                await here.publish(run_id, [stored(1)])
            for live in listening:
                assert await received(live, 1) == [stored(1)]
        assert not there._feeds


async def test_deltas_the_server_had_not_kept_yet_arrive_all_the_same(
    brokers: tuple[NatsBroker, NatsBroker], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = brokers
    past, too_early = there._jetstream.kept_events, [[stored(1)]]

    async def answer(subject: str) -> Sequence[RawEvent]:
        return too_early.pop() if too_early else await past(subject)

    monkeypatch.setattr(there._jetstream, "kept_events", answer)
    await here.publish("run_1", [stored(1), delta(1), delta(2)])
    await until(lambda: kept(here, "run_1", 3))
    async with there.subscribe("run_1") as live:
        assert await received(live, 2) == [delta(1), delta(2)]


async def kept(broker: NatsBroker, run_id: str, count: int) -> bool:
    return len(await broker._jetstream.kept_events(broker._subjects.event(run_id))) == count


async def test_no_state_is_kept_for_a_quiet_run(nats: NatsServer) -> None:
    async with nats_broker(nats, "quiet") as here:
        for number in range(20):
            await here.publish(f"run_{number}", [delta(1)])
            await asyncio.sleep(0)
            await here.publish(f"run_{number}", [stored(2)])

        async def empty() -> bool:
            with here._connection.mailbox() as box:
                here._connection.send("$JS.API.STREAM.INFO.quiet_EV", b"", box.subject)
                return b'"messages":0' in (await box.messages.get()).data

        await until(empty)
