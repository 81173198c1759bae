"""NATS servers that die, freeze or lose their disk cause a delay and nothing else."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest
from nats.aio.client import Client

from runstead.broker.nats import NatsBroker
from runstead.broker.nats.client import Subscription
from runstead.broker.port import Offer
from runstead.wire.event import EventName, Position, RawEvent
from tests.support.nats import NatsServer, nats_broker, request, streams_ready, subscribed
from tests.support.waiting import until, within

Live = AsyncIterator[Sequence[RawEvent] | None]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    server = NatsServer(tmp_path)
    server.start()
    yield server
    server.kill()


def delta(number: int, seq: int = 1) -> RawEvent:
    return RawEvent(Position(seq, number), EventName.MESSAGE_DELTA, b"{}")


def stored(seq: int) -> RawEvent:
    return RawEvent(Position(seq), EventName.RUN_QUEUED, b"{}")


def up(*brokers: NatsBroker) -> bool:
    return all(broker.connected for broker in brokers)


async def down(*brokers: NatsBroker) -> None:
    await until(lambda: not any(broker.connected for broker in brokers))


async def offer_arrives(here: NatsBroker, there: NatsBroker, run_id: str) -> None:
    """An offer arrives once the streams exist again. Runs that were offered before are found by polls of the store."""
    await streams_ready(here)
    async with there.offers() as offers, within():
        await here.offer(run_id)
        assert await next_run(offers) == run_id


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


@pytest.mark.parametrize("wiped", [False, True], ids=["restarted", "wiped"])
async def test_the_broker_works_again_after_the_server_was_killed(
    server: NatsServer, wiped: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with nats_broker(server, "a") as here, nats_broker(server, "a") as there, there.subscribe("run_1") as live:
        await subscribed(there)
        await here.publish("run_1", [delta(1)])
        assert await received(live, 1) == [delta(1)]
        server.kill()
        await down(here, there)
        for number in range(2, 5):
            await here.publish("run_1", [delta(number)])
            await here.offer("run_lost")
            await here.interrupt("run_lost")
        if wiped:
            server.wipe()
        server.start()
        await until(lambda: up(here, there))
        await here.publish("run_1", [delta(5)])
        events = await received(live, 4)
        assert events == [delta(number) for number in range(2, 6)], "events of the outage are sent when it is over"
        await offer_arrives(here, there, "run_2")
        async with there.interrupts() as interrupts, within():
            await here.interrupt("run_3")
            assert await anext(interrupts) == "run_3"
        async with there.subscribe("run_1") as late:
            assert await received(late, 5) == [delta(number) for number in range(1, 6)], (
                "this process has kept the deltas"
            )
    logged = [line.split()[2] for line in caplog.messages if line.startswith("NATS is")]
    assert sorted(logged) == ["away;", "away;", "back", "back"], "once for each broker, not for each attempt"
    assert len(caplog.messages) < 20


async def test_streams_that_begin_and_end_during_an_outage_leave_nothing(server: NatsServer) -> None:
    async with nats_broker(server, "a") as here, nats_broker(server, "a") as there:
        async with here.subscribe("run_before"):
            await subscribed(here)
            server.kill()
            await down(here, there)
        known = subscriptions_in_memory()
        for number in range(200):
            async with here.subscribe(f"run_{number}"):
                pass
        assert subscriptions_in_memory() == known
        async with here.subscribe("run_open") as live:
            server.start()
            await until(lambda: up(here, there))
            await subscribed(here)
            await there.publish("run_open", [stored(1)])
            assert await received(live, 1) == [stored(1)], "a subscription of the outage is active after it"


def subscriptions_in_memory() -> int:
    gc.collect()
    return sum(isinstance(each, Subscription) for each in gc.get_objects())


async def test_messages_under_way_when_the_server_dies_are_sent_again(server: NatsServer) -> None:
    async with nats_broker(server, "a") as here, nats_broker(server, "a") as there, there.subscribe("run_1") as live:
        await subscribed(there)
        await here.publish("run_1", [delta(1)])
        assert await received(live, 1) == [delta(1)]
        server.freeze()  # it accepts messages and never delivers them
        await here.publish("run_1", [delta(2)])
        await until(lambda: here._connection._unconfirmed._newer[-1].data.count(b"message.delta") == 1)
        server.kill()
        await down(here, there)
        server.start()
        await here.publish("run_1", [delta(3)])
        assert await received(live, 2) == [delta(2), delta(3)]


async def test_resent_messages_roll_up_no_newer_deltas(server: NatsServer) -> None:
    async with nats_broker(server, "a") as here, nats_broker(server, "a") as there, nats_broker(server, "a") as late:
        await here.publish("run_1", [stored(1)])
        await until(lambda: len(here._connection._unconfirmed._newer) == 1)
        await request(here, "$JS.API.INFO")
        await there.publish("run_1", [delta(1), delta(2)])
        await request(there, "$JS.API.INFO")
        client(here)._transport._io_writer.transport.abort()  # type: ignore[union-attr]
        await down(here)
        await until(lambda: here.connected)
        await here.publish("run_2", [stored(1)])
        await until(lambda: len(here._connection._unconfirmed._newer) == 2)
        await request(here, "$JS.API.INFO")
        async with late.subscribe("run_1") as live:
            assert [event for event in await received(live, 2) if event.at.delta] == [delta(1), delta(2)]


def client(broker: NatsBroker) -> Client:
    """The client of nats-py."""
    handle = next(iter(broker._connection._subscriptions)).handle
    assert handle is not None
    found: Client = handle._conn
    return found


async def test_a_closed_client_is_replaced(server: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runstead.broker.nats.connection._CHECK_PERIOD", 0.1)
    async with nats_broker(server, "a") as here, nats_broker(server, "a") as there, there.subscribe("run_1") as live:
        await subscribed(there)
        server.kill()
        await down(here, there)
        for broker in (here, there):
            reconnecting = client(broker)._reconnection_task
            assert reconnecting is not None
            reconnecting.cancel()
        server.start()
        await until(lambda: up(here, there))
        await here.publish("run_1", [stored(1)])
        assert await received(live, 1) == [stored(1)]


async def test_messages_published_before_stop_are_sent(server: NatsServer) -> None:
    async with nats_broker(server, "a") as there, there.subscribe("run_1") as live, there.offers() as offers:
        await subscribed(there)
        async with nats_broker(server, "a") as here:
            await here.publish("run_1", [stored(1)])
            await here.offer("run_1")
        assert await received(live, 1) == [stored(1)]
        async with within():
            assert await next_run(offers) == "run_1"


async def test_an_unacknowledged_offer_is_delivered_again(server: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runstead.broker.nats.jetstream.ACK_WAIT", 1)
    async with nats_broker(server, "a") as here, nats_broker(server, "a") as there, here.offers() as offers, within():
        async with there.offers() as dying:
            await here.offer("run_1")
            assert (await anext(dying)).run_id == "run_1"
        assert await next_run(offers) == "run_1"
        await here.offer("run_2")
        assert await next_run(offers) == "run_2", "an acknowledged offer is not delivered again"


async def test_offers_survive_a_restart_of_the_server(server: NatsServer) -> None:
    async with nats_broker(server, "a") as here:
        for number in range(5):
            await here.offer(f"run_{number}")

        async def kept() -> bool:
            with here._connection.mailbox() as box:
                here._connection.send("$JS.API.STREAM.INFO.a_RUNS", b"", box.subject)
                return b'"messages":5' in (await box.messages.get()).data

        await until(kept)
    server.kill()
    server.start()
    async with nats_broker(server, "a") as here, here.offers() as offers, within():
        assert [await next_run(offers) for _ in range(5)] == [f"run_{number}" for number in range(5)]


async def test_a_pending_request_for_offers_survives_a_restart(server: NatsServer) -> None:
    async with nats_broker(server, "a") as here, here.offers() as offers:
        waiting = asyncio.get_running_loop().create_task(next_run(offers))
        await asyncio.sleep(0)
        server.kill()
        await down(here)
        server.start()
        await until(lambda: up(here))
        await streams_ready(here)
        await here.offer("run_1")
        async with within():
            assert await waiting == "run_1"


async def test_subscribers_poll_the_store_while_there_is_no_server(server: NatsServer) -> None:
    async with nats_broker(server, silence=600) as broker, broker.subscribe("run_1") as live:
        await subscribed(broker)
        server.kill()
        async with within():
            assert await anext(live) is None


async def test_deleted_streams_are_created_again(server: NatsServer) -> None:
    async with nats_broker(server, "a") as here, nats_broker(server, "a") as there:
        for stream in ("a_RUNS", "a_EV"):
            with here._connection.mailbox() as box:
                here._connection.send(f"$JS.API.STREAM.DELETE.{stream}", b"", box.subject)
                async with within():
                    assert b"true" in (await box.messages.get()).data
        async with there.offers() as offers:
            waiting = asyncio.get_running_loop().create_task(next_run(offers))

            async def arrives() -> bool:
                await here.offer("run_1")
                return waiting.done()

            await until(arrives)
            assert await waiting == "run_1"


async def test_a_frozen_server_blocks_no_caller(server: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runstead.broker.nats.connection._CHECK_PERIOD", 1.0)
    big = RawEvent(Position(1, 1), EventName.MESSAGE_DELTA, b"x" * 100_000)
    async with nats_broker(server, "a") as here, nats_broker(server, "a") as there:
        server.freeze()
        try:
            async with asyncio.timeout(5):
                for _ in range(500):  # more than all buffers can hold
                    await here.publish("run_1", [big])
                    await here.offer("run_1")
                    await asyncio.sleep(0)
            await down(here, there)
        finally:
            server.thaw()
        await until(lambda: up(here, there))
        async with there.subscribe("run_2") as live:
            await subscribed(there)
            await here.publish("run_2", [stored(1)])
            assert await received(live, 1) == [stored(1)]


async def test_a_missing_server_is_connected_to_in_the_background(
    server: NatsServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runstead.broker.nats.connection.TIMEOUT", 0.1)
    server.kill()
    async with nats_broker(server, silence=0.05) as here, here.subscribe("run_1") as live, here.offers() as offers:
        monkeypatch.undo()
        assert "not reachable" in caplog.text
        await here.publish("run_1", [stored(1)])
        assert await received(live, 1) == [stored(1)], "subscribers of the same process need no server"
        await here.interrupt("run_1")
        await here.offer("run_1")
        async with within():
            assert await anext(live) is None
        server.start()
        await until(lambda: up(here))
        await streams_ready(here)
        await here.offer("run_2")
        async with within():
            assert await next_run(offers) == "run_2"


async def test_a_broker_that_never_connected_stops_at_once(server: NatsServer) -> None:
    server.kill()
    async with asyncio.timeout(5), nats_broker(server):
        pass


async def test_credentials_of_the_url_are_never_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, server: NatsServer
) -> None:
    caplog.set_level(logging.DEBUG)
    guarded = NatsServer(tmp_path / "guarded", "--user", "me", "--pass", "hush#1")
    guarded.start()
    try:
        for password, connects in (("hush%231", True), ("wrong-hush", False)):
            broker = NatsBroker(guarded.url.replace("//", f"//me:{password}@"), name="a")
            await broker.start()
            try:
                assert up(broker) is connects
            finally:
                await broker.stop()
            assert "hush" not in repr(broker) + str(vars(broker)) + caplog.text
        assert "Authorization" in caplog.text
    finally:
        guarded.kill()
