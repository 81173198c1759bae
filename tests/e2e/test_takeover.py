"""A worker is killed or suspended: other workers recover its runs, and no finished step is repeated."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from runstead.wire.run import Run
from tests.support.cluster import cluster
from tests.support.program import Program
from tests.support.reader import Reader
from tests.support.waiting import until, within
from tests.support.worlds import WEATHER, World, text_of
from tests.worker.processes import ended, starter

WORDS = " ".join(f"word-{number}" for number in range(20))
SCRIPT = f"""
words_per_second = 10
[[answer]]
call.weather = {{ city = "Oslo" }}
say = "{WORDS}"
"""
COUNT = 12


@asynccontextmanager
async def busy(folder: Path, lease: float) -> AsyncIterator[tuple[World, list[Run], Any, list[Program]]]:
    """Two workers in the second step of many runs. The first in the list owns most of them."""
    with cluster(folder, apis=0, workers=2, script=SCRIPT, lease=str(lease)) as here:
        admin = await asyncpg.connect(here.postgres.url, server_settings={"search_path": here.installation})
        async with starter(here.installation)(works=False) as api:
            runs = [await api.start("Hi", tools=[WEATHER]) for _ in range(COUNT)]
            for run in runs:
                await api.submit(await ended(api, run))

            async def all_speak() -> bool:
                speaking = "SELECT count(*) FROM messages WHERE run_id IS NOT NULL"
                return bool(await admin.fetchval(speaking) == COUNT)

            await until(all_speak)
            busiest = "SELECT owner FROM runs WHERE owner IS NOT NULL GROUP BY owner ORDER BY count(*) DESC LIMIT 1"
            name = await admin.fetchval(busiest)
            yield api, runs, admin, sorted(here.workers, key=lambda worker: name not in worker.log)
        await admin.close()


async def check(api: World, runs: list[Run]) -> int:
    """Each run completed without a loss or repetition; returns how many were recovered."""
    again = 0
    for run in runs:
        assert (await ended(api, run)).status == "completed"
        Reader().read(await api.events(run))
        steps = [(step.type, step.status) for step in await api.steps(run)]
        assert steps[0] == ("tool_calls", "completed")
        assert steps[-1] == ("message_creation", "completed")
        assert set(steps[1:-1]) <= {("message_creation", "failed")}, "nothing finished is repeated"
        assert text_of((await api.written(run))[-1]) == WORDS
        again += len(steps) > 2
    return again


async def take_over(admin: Any) -> None:
    """Wait until one worker is left, and owns all runs."""

    async def done() -> bool:
        left = """
            SELECT count(*) FROM runs
             WHERE status = 'queued' OR status = 'in_progress' AND owner NOT IN (SELECT name FROM workers)
        """
        return bool(await admin.fetchval("SELECT count(*) FROM workers") == 1 and not await admin.fetchval(left))

    await until(done)


async def test_the_runs_of_a_killed_worker_are_recovered_before_its_lease_ends(tmp_path: Path) -> None:
    async with within(60), busy(tmp_path, lease=4) as (api, runs, admin, workers):
        killed = asyncio.get_running_loop().time()
        await asyncio.to_thread(workers[0].kill)
        await take_over(admin)
        took = asyncio.get_running_loop().time() - killed
        print(f"taken over after {took:.2f} s")
        assert took < 2.8, "its lease ran for another three seconds at least"
        assert await check(api, runs) > 0


async def test_a_suspended_worker_expires_and_writes_nothing_when_it_resumes(tmp_path: Path) -> None:
    async with within(60), busy(tmp_path, lease=2) as (api, runs, admin, workers):
        suspended, other = workers
        suspended.freeze()
        await take_over(admin)
        suspended.thaw()
        await asyncio.to_thread(suspended.wait_for_log, "it registers again, and its runs are recovered")
        assert await check(api, runs) > 0

        async def entered() -> bool:
            return bool(await admin.fetchval("SELECT count(*) FROM workers") == 2)

        await until(entered)
        await asyncio.to_thread(other.stop)
        assert (await ended(api, await api.start("Hi"))).status == "completed", "it works again"
