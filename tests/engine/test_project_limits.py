"""A project's own limits: they hold from the next decision on, whatever the configuration says."""

import pytest

from runstead.llm.scripted import Gate
from runstead.store.port import ProjectRow
from runstead.wire.error import RateLimited
from tests.support.waiting import until, within
from tests.support.worlds import World, world


async def limit(here: World, **limits: int) -> None:
    row = ProjectRow(name="default", created_at=1, **limits)
    await here.adapters.store.write(lambda tx: tx.projects.put(row))


async def test_runs_above_the_limit_of_their_project_wait_for_the_end_of_another() -> None:
    gate, second_gate = Gate(), Gate()
    async with world([gate, second_gate, "Third."]) as here:
        await limit(here, max_running=1)
        runs = [await here.start("Hi") for _ in range(3)]
        async with within():
            await gate.reached.wait()
        assert [(await here.now(run)).status for run in runs] == ["in_progress", "queued", "queued"]
        gate.open()
        assert (await here.ended(runs[0])).status == "completed"
        async with within():
            await second_gate.reached.wait()
        assert [(await here.now(run)).status for run in runs[1:]] == ["in_progress", "queued"]
        second_gate.open()
        for run in runs[1:]:
            assert (await here.ended(run)).status == "completed"


async def test_a_project_without_a_limit_goes_beyond_the_configured_one() -> None:
    gate = Gate()
    async with world([gate, gate], max_running=1) as here:
        await limit(here, max_running=0)
        runs = [await here.start("Hi") for _ in range(2)]
        await until(lambda: len(here.model.requests) == 2)
        gate.open()
        for run in runs:
            assert (await here.ended(run)).status == "completed"


async def test_a_queue_is_refused_by_the_limit_of_its_project() -> None:
    async with world([], slots=0, max_queued=5) as here:
        await limit(here, max_queued=1)
        await here.start("Hi")
        with pytest.raises(RateLimited, match="1 runs that wait"):
            await here.start("Hi")
        await limit(here)
        await here.start("Hi")
