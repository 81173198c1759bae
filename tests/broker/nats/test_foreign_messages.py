"""Foreign messages on our subjects, and messages of newer versions, break nothing and delay nothing."""

import pytest

from runstead.broker.nats import NatsBroker
from runstead.wire.event import EventName, Position, RawEvent
from tests.support.nats import NatsServer, nats_broker, request, subscribed
from tests.support.waiting import until, within

GARBAGE = [b"", b"\xff", b"\x00", b"[null]", b"{}", b"\x91\xc0", b"\x91\x93\x92\xff\x01\xa3new\xc4\x00", b"x" * 100_000]

EVENT = RawEvent(Position(1), EventName.RUN_QUEUED, b"{}")


def send_garbage(broker: NatsBroker, subject: str) -> None:
    for data in GARBAGE:
        assert broker._connection.send(subject, data)


async def test_foreign_messages_make_a_subscriber_read_the_store_and_delay_no_event(nats: NatsServer) -> None:
    async with nats_broker(nats, "strangers") as here, nats_broker(nats, "strangers") as there, within():
        async with there.subscribe("run_1") as live:
            await subscribed(there)
            send_garbage(here, here._subjects.event("run_1"))
            assert await anext(live) is None
            await here.publish("run_1", [EVENT])
            while (batch := await anext(live)) is None:
                pass
            assert batch == [EVENT]
        send_garbage(here, here._subjects.event("run_2"))
        await request(here, "$JS.API.INFO")
        async with there.subscribe("run_2") as late:
            await subscribed(there)
            await here.publish("run_2", [EVENT])
            while (batch := await anext(late)) is None:
                pass
            assert batch == [EVENT]


async def test_foreign_messages_on_the_offer_subject_are_discarded(
    nats: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with nats_broker(nats, "stranger_work") as here, nats_broker(nats, "stranger_work") as there, within():
        send_garbage(here, here._subjects.offer)
        await here.offer("run_1")
        async with there.offers() as offers:
            offer = await anext(offers)
            assert offer.run_id == "run_1"
            offer.ack()
        async with there.interrupts() as interrupts:
            await subscribed(there)
            send_garbage(here, here._subjects.interrupt)
            await here.interrupt("run_1")
            assert await anext(interrupts) == "run_1"

        async def empty() -> bool:
            state = (await request(here, "$JS.API.STREAM.INFO.stranger_work_RUNS")).get("state", {})
            return bool(state.get("messages") == 0)

        await until(empty)
    assert not caplog.messages
