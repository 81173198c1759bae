"""Of two that hold a run by the same name, one goes on."""

import pytest

from runstead.domain import moves
from runstead.domain.lifecycle import Signal
from runstead.engine.endings import end_unheld
from runstead.engine.hold import Hold, Interrupted, claim
from runstead.wire.event import decode_event
from tests.support.reader import Reader
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
