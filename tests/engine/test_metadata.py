"""Updating a run's metadata in each status."""

import asyncio

from runstead.llm.scripted import Gate, call, say
from runstead.wire.run import Run
from runstead.wire.struct import UNSET
from tests.support.reader import Reader
from tests.support.waiting import within
from tests.support.worlds import WEATHER, World, text_of, world


async def note(here: World, run: Run, what: str) -> None:
    noted = await here.project.update_run(run.thread_id, run.id, {"note": what})
    now = await here.now(run)
    assert noted.metadata == now.metadata == {"note": what}
    assert noted.status == now.status


async def test_metadata_changes_in_every_status() -> None:
    gate, blocked = Gate(), Gate()
    async with world([blocked, call("weather"), [say("Half"), gate, say("whole")]], slots=1) as here:
        first = await here.start()
        async with within():
            await blocked.reached.wait()
        run = await here.start(tools=[WEATHER], metadata={"made": "with"})
        assert run.metadata == {"made": "with"}
        await note(here, run, "queued")
        blocked.open()
        await here.ended(first)
        run = await here.ended(run)
        assert run.status == "requires_action"
        await note(here, run, "requires_action")
        await here.submit(run)
        async with within():
            await gate.reached.wait()
        assert (await here.now(run)).status == "in_progress"
        await note(here, run, "in_progress")
        gate.open()
        assert (await here.ended(run)).status == "completed"
        assert (await here.now(run)).metadata == {"note": "in_progress"}, "the worker's next write keeps it"
        await note(here, run, "completed")
        Reader().read(await here.events(run))


async def test_absent_metadata_stays_and_null_clears_it() -> None:
    async with world(["Hello"]) as here:
        run = await here.ended(await here.start(metadata={"a": "b"}))
        update = here.project.update_run
        assert (await update(run.thread_id, run.id)).metadata == {"a": "b"}
        assert (await update(run.thread_id, run.id, UNSET)).metadata == {"a": "b"}
        assert (await update(run.thread_id, run.id, None)).metadata == {}


async def test_metadata_updates_and_worker_commits_never_lose_each_other() -> None:
    for _ in range(10):
        async with world([[say(*map(str, range(30)))]]) as here:
            run = await here.start()

            async def keep_noting(run: Run = run, here: World = here) -> int:
                count = 0
                while not (await here.project.update_run(run.thread_id, run.id, {"n": str(count)})).status.terminal:
                    count += 1
                return count

            async with within():
                count, events = await asyncio.gather(keep_noting(), here.events(run))
            Reader().read(events)
            ended = await here.now(run)
            assert (ended.status, ended.metadata) == ("completed", {"n": str(count)})
            assert text_of((await here.messages(run))[-1]) == "".join(map(str, range(30)))
