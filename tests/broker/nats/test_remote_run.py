"""A run that is created on one node and executed on another, with NATS between them."""

from contextlib import aclosing
from pathlib import Path

import pytest
from msgspec.structs import replace

from runstead.broker.nats import NatsBroker
from runstead.domain.access import DEFAULT_PROJECT
from runstead.engine.resources.project import Project
from runstead.llm.scripted import Gate, say
from runstead.wire.run import RunRequest
from tests.support.nats import NatsServer, nats_broker, subscribed
from tests.support.reader import Reader
from tests.support.waiting import until, within
from tests.support.worlds import World, names, text_of, world


def remote_project(here: World, broker: NatsBroker) -> Project:
    return Project(replace(here.adapters, broker=broker), DEFAULT_PROJECT)


async def test_a_run_is_streamed_to_another_node(nats: NatsServer, tmp_path: Path) -> None:
    worker_broker = NatsBroker(nats.url, name="remote")
    text = say(*"abcdefgh")
    async with (
        nats_broker(nats, "remote") as broker,
        world([text] * 3, path=tmp_path / "rs.db", broker=worker_broker) as here,
        within(),
    ):
        remote = remote_project(here, broker)
        for _ in range(3):
            request = RunRequest(assistant_id=await here.assistant())
            stream = remote.create_streaming_run(await here.thread("Hello"), request)
            events = [event async for event in stream]
            Reader().read(events)
            assert names(events)[-1] == "run.completed"
            assert sum(event.event == "thread.message.delta" for event in events) == 8


async def test_a_run_is_cancelled_from_another_node_in_mid_stream(nats: NatsServer, tmp_path: Path) -> None:
    gate = Gate()
    worker_broker = NatsBroker(nats.url, name="far_cancel")
    async with (
        nats_broker(nats, "far_cancel") as broker,
        world([[say("Half", " an"), gate, say(" answer")]], path=tmp_path / "rs.db", broker=worker_broker) as here,
        within(),
    ):
        remote = remote_project(here, broker)
        run = await remote.create_run(await here.thread("Hello"), RunRequest(assistant_id=await here.assistant()))
        await gate.reached.wait()
        async with aclosing(remote.run_events(run.thread_id, run.id)) as stream:  # type: ignore[type-var]
            events = [await anext(stream)]
            while events[-1].id != "7.2":
                events.append(await anext(stream))
            await remote.cancel(run.thread_id, run.id)
            events += [event async for event in stream]
        Reader().read(events)
        assert names(events)[-1] == "run.cancelled"
        [message] = await here.written(run)
        assert message.status == "incomplete"


@pytest.mark.parametrize("lost", [True, False], ids=["long-ago", "just-now"])
async def test_a_subscriber_after_a_lost_disk_gets_the_completed_message(tmp_path: Path, lost: bool) -> None:
    server = NatsServer(tmp_path / "nats")
    server.start()
    gate = Gate()
    worker_broker = NatsBroker(server.url, name="wiped")
    try:
        async with (
            nats_broker(server, "wiped", silence=0.1) as broker,
            world([[say("Half", " an"), gate, say(" answer")]], path=tmp_path / "rs.db", broker=worker_broker) as here,
            within(),
        ):
            remote = remote_project(here, broker)
            run = await here.start()
            await gate.reached.wait()
            server.kill()
            server.wipe()
            await until(lambda: not worker_broker.connected and not broker.connected)
            if lost:
                worker_broker._connection._unconfirmed.drain()
            server.start()
            await until(lambda: worker_broker.connected and broker.connected)
            async with aclosing(remote.run_events(run.thread_id, run.id)) as stream:  # type: ignore[type-var]
                events = [await anext(stream)]
                while events[-1].id != "7":
                    events.append(await anext(stream))
                await subscribed(broker)
                gate.open()
                events += [event async for event in stream]
            reader = Reader()
            reader.read(events)
            assert names(events)[-1] == "run.completed"
            assert list(reader.texts.values()) == ["Half an answer"], "never a text with a gap"
            [message] = await here.written(run)
            assert text_of(message) == "Half an answer"
    finally:
        server.kill()
