"""Of two claims of one run under the same name, the newer one goes on."""

import asyncio
from pathlib import Path

import pytest

from runstead.domain.run import message_step
from runstead.domain.run.lifecycle import Signal
from runstead.engine.execution.claimed_run import ClaimedRun, Interrupted, claim
from runstead.engine.execution.stop import end_unowned
from runstead.wire.event import EventName, Position, RawEvent
from runstead.worker.executor import Executor
from tests.support.reader import Reader
from tests.support.waiting import within
from tests.support.worlds import World, world


async def taken(here: World, run_id: str) -> ClaimedRun:
    hold = await claim(here.adapters, run_id, "worker_1")
    assert hold is not None
    return hold


async def begin(here: World, hold: ClaimedRun) -> None:
    """Begin to write a message."""
    ids = here.adapters.new_id("step"), here.adapters.new_id("msg")
    await hold.commit(lambda run: message_step.open_message(run, *ids, here.adapters.now()))


@pytest.mark.parametrize("first_began", [True, False])
async def test_a_former_owner_writes_nothing_more(first_began: bool) -> None:
    async with world(slots=0) as here:
        run = await here.start()
        old = await taken(here, run.id)
        if first_began:
            await begin(here, old)
        assert await end_unowned(here.adapters, run.id, lambda _: Signal.RECOVER)
        new = await taken(here, run.id)
        await begin(here, new)
        with pytest.raises(Interrupted):
            await begin(here, old)
        await new.end(lambda _: Signal.RECOVER)
        Reader().read(await here.stored(run))


@pytest.mark.parametrize("turns", range(8))
async def test_a_run_interrupted_while_a_step_opens_is_released_with_the_step(turns: int, tmp_path: Path) -> None:
    async with world(path=tmp_path / "rs.db", slots=0) as here:
        run = await here.start()
        hold = await taken(here, run.id)
        async with asyncio.TaskGroup() as group:
            beginning = group.create_task(begin(here, hold))
            for _ in range(turns):
                await asyncio.sleep(0)
            beginning.cancel()
        await hold.end(lambda _: Signal.RECOVER)
        assert (await here.now(run)).status == "queued"
        Reader().read(await here.stored(run))


async def test_a_former_owner_publishes_no_end() -> None:
    async with world(slots=0) as here:
        run = await here.start()
        hold = await taken(here, run.id)
        hold.disown()
        async with here.adapters.broker.subscribe(run.id) as live, within():
            await hold.publish_missed()
            later = RawEvent(Position(9), EventName.RUN_QUEUED, b"{}")
            await here.adapters.broker.publish(run.id, [later])
            assert await anext(live) == [later]


async def test_an_interrupt_during_a_claim_releases_that_claim_alone() -> None:
    async with world(["Hello"], slots=0) as here:
        run = await here.start()
        executor, busy = Executor(here.adapters, "worker_1"), asyncio.Event()

        async def take_another() -> None:
            await busy.wait()

        async with asyncio.TaskGroup() as group, within():
            group.create_task(executor.claim(take_another))  # a busy worker: a claim is always under way
            await asyncio.sleep(0)
            executor.interrupt(run.id)
            await executor.execute(await taken(here, run.id))
            assert (await here.now(run)).status == "queued"
            await executor.execute(await taken(here, run.id))
            busy.set()
        assert (await here.now(run)).status == "completed"
