"""Of two that hold a run by the same name, one goes on."""

import asyncio
from pathlib import Path

import pytest

from runstead.domain import moves
from runstead.domain.lifecycle import Signal
from runstead.engine.endings import end_unheld
from runstead.engine.hold import Hold, Interrupted, claim
from runstead.wire.event import EventName, Position, RawEvent, decode_event
from runstead.worker.carrier import Carrier
from tests.support.reader import Reader
from tests.support.waiting import within
from tests.support.worlds import World, world


async def taken(here: World, run_id: str) -> Hold:
    hold = await claim(here.ports, run_id, "worker_1")
    assert hold is not None
    return hold


async def begin(here: World, hold: Hold) -> None:
    """Begin to write a message."""
    ids = here.ports.new_id("step"), here.ports.new_id("msg")
    await hold.open(lambda run: moves.open_message(run, *ids, here.ports.now()))


@pytest.mark.parametrize("first_began", [True, False])
async def test_who_held_a_run_before_it_went_on_elsewhere_writes_nothing_more(first_began: bool) -> None:
    async with world(most=0) as here:
        run = await here.start()
        old = await taken(here, run.id)
        if first_began:
            await begin(here, old)
        assert await end_unheld(here.ports, run.id, lambda _: Signal.RESCUE)
        new = await taken(here, run.id)
        await begin(here, new)
        with pytest.raises(Interrupted):
            await begin(here, old)
        await new.end(lambda _: Signal.RESCUE)
        events = await here.ports.store.read(lambda tx: tx.events.after(run.id, 0, 100))
        Reader().read([decode_event(event.name, event.data, str(event.at)) for event in events])


@pytest.mark.parametrize("turns", range(8))
async def test_who_is_stopped_while_it_begins_a_step_hands_the_run_back_with_it(turns: int, tmp_path: Path) -> None:
    async with world(path=tmp_path / "rs.db", most=0) as here:
        run = await here.start()
        hold = await taken(here, run.id)
        async with asyncio.TaskGroup() as group:
            beginning = group.create_task(begin(here, hold))
            for _ in range(turns):
                await asyncio.sleep(0)
            beginning.cancel()
        await hold.end(lambda _: Signal.RESCUE)
        assert (await here.now(run)).status == "queued"
        events = await here.ports.store.read(lambda tx: tx.events.after(run.id, 0, 100))
        Reader().read([decode_event(event.name, event.data, str(event.at)) for event in events])


async def test_who_lost_a_run_tells_nobody_that_it_has_ended() -> None:
    async with world(most=0) as here:
        run = await here.start()
        hold = await taken(here, run.id)
        hold.lose()
        async with here.ports.broker.listen(run.id) as live, within():
            await hold.part()
            later = RawEvent(Position(9), EventName.RUN_QUEUED, b"{}")
            await here.ports.broker.publish(run.id, [later])
            assert await anext(live) == [later]


async def test_who_was_stopped_while_it_was_taken_is_handed_back_once_not_whenever_it_is_taken() -> None:
    async with world(["Hello"], most=0) as here:
        run = await here.start()
        carrier, busy = Carrier(here.ports, "worker_1"), asyncio.Event()

        async def take_another() -> None:
            await busy.wait()

        async with asyncio.TaskGroup() as group, within():
            group.create_task(carrier.take(take_another))  # a busy worker: it takes something all the time
            await asyncio.sleep(0)
            carrier.stop(run.id)
            await carrier.carry(await taken(here, run.id))
            assert (await here.now(run)).status == "queued"
            await carrier.carry(await taken(here, run.id))
            busy.set()
        assert (await here.now(run)).status == "completed"
