"""Three servers whose leader dies and loses its disk: events pause for a moment, and offers work again."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from runstead.broker.nats import NatsBroker
from runstead.broker.port import Broker
from runstead.wire.event import EventName, Position, RawEvent
from tests.support.nats import NatsCluster, nats_broker, request, subscribed
from tests.support.waiting import until, within

STALL = 2.0
"""Seconds without events that a subscriber may see while the server that it was connected to dies."""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[NatsCluster]:
    cluster = NatsCluster(tmp_path)
    cluster.start()
    yield cluster
    cluster.kill()


def delta(number: int) -> RawEvent:
    return RawEvent(Position(1, number), EventName.MESSAGE_DELTA, b"{}")


async def leader(broker: NatsBroker, stream: str) -> str:
    """The name of the server that leads a stream, once one is elected."""
    found: list[str] = []

    async def elected() -> bool:
        info = await request(broker, f"$JS.API.STREAM.INFO.{stream}")
        found[:] = [info.get("cluster", {}).get("leader")]
        return bool(found[0])

    await until(elected)
    return found[0]


async def publish_deltas(broker: Broker, run_id: str) -> None:
    """Publish deltas for ever, a hundred a second."""
    number = 0
    while True:
        number += 1
        await broker.publish(run_id, [delta(number)])
        await asyncio.sleep(0.01)


async def deltas(broker: Broker, run_id: str) -> AsyncIterator[int]:
    async with broker.subscribe(run_id) as live:
        async for events in live:
            for event in events or ():
                yield event.at.delta


async def test_subscriptions_and_offers_survive_the_death_of_the_leader(cluster: NatsCluster) -> None:
    async with nats_broker(cluster, "a", replicas=3) as observer:
        first = cluster.servers[await leader(observer, "a_RUNS")]
        assert (await request(observer, "$JS.API.STREAM.INFO.a_RUNS"))["config"]["num_replicas"] == 3
    async with (
        nats_broker(first, "a", replicas=3) as here,
        nats_broker(first, "a", replicas=3) as there,
        asyncio.TaskGroup() as group,
        within(40),
    ):
        publishing = group.create_task(publish_deltas(here, "run_1"))
        async with aclosing(deltas(there, "run_1")) as received:  # type: ignore[type-var]
            assert await anext(received) == 1
            await subscribed(there)
            first.kill()
            first.wipe()
            loop = asyncio.get_running_loop()
            before, longest = loop.time(), 0.0
            for expected in range(2, 300):
                assert await anext(received) == expected, "each delta arrives once"
                longest, before = max(longest, loop.time() - before), loop.time()
            assert longest < STALL
        first.start()
        await offer_arrives(here, there)
        publishing.cancel()


async def offer_arrives(here: Broker, there: Broker) -> None:
    """An offer arrives once the servers have elected a leader. Until then, polls of the store find queued runs."""
    async with there.offers() as offers, asyncio.TaskGroup() as group:

        async def offer() -> None:
            while True:
                await here.offer("run_2")
                await asyncio.sleep(0.1)

        offering = group.create_task(offer())
        arrived = await anext(offers)
        assert arrived.run_id == "run_2"
        arrived.ack()
        offering.cancel()
