"""A worker is killed in the middle of a run: how long until those who follow the run hear of it again?"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

from benchmarks import processes
from benchmarks.fake_model import text
from benchmarks.installation import Installation, engines, installation
from benchmarks.plan import Plan
from benchmarks.processes import Server, free_port
from benchmarks.report import Findings
from benchmarks.targets import Lost
from runstead import AssistantRequest, Event, EventName, MessageRequest, RunRequest, ThreadRequest, connect_async
from runstead.client import AsyncClient
from tests.support.program import Program
from tests.support.worlds import text_of

TOKENS = 40
MODEL = f"paced-{TOKENS}"
"""Speaks for two seconds: the kill comes somewhere in the first of them."""
AIM = 1.5
"""Seconds."""
YOUNG = "SELECT pg_postmaster_start_time() + (SELECT max(lease) FROM workers) > clock_timestamp()"
"""Nobody is given up so soon after the start of the database."""

Kill = Callable[[str], Awaitable[float]]
"""Kills who has a run; when that was."""


class Gap(NamedTuple):
    """Seconds from a kill to what a follower heard next."""

    event: float
    """The first event that somebody else caused."""
    token: float
    """The first token of the answer as it is told anew."""


async def measure(plan: Plan) -> Findings:
    """On an event loop of asyncio's own: our client does not run on any other."""
    return await asyncio.to_thread(asyncio.run, _measure(plan))


async def _measure(plan: Plan) -> Findings:
    with processes.part("fake_model") as model:
        one = await restarts(model, plan.disk / "one", plan.kills)
        with engines(plan.disk) as on, installation(on, model, plan.disk / "many", workers=2) as here:
            many = await takeovers(here, plan.kills)
    found = Findings(
        f"kill -9 in the middle of a run, {plan.kills} times: ms until its follower hears of it again",
        ("", "first event, p50", "max", "first new token, p50", "max"),
        note="One process is started again at once, by whoever killed it; its follower comes back by itself.",
    )
    for name, gaps in {"1 process on SQLite, started again": one, "2 workers, one killed": many}.items():
        events, tokens = ([1000 * gap[which] for gap in gaps] for which in (0, 1))
        found.row(name, median(events), max(events), median(tokens), max(tokens))
    ratios = [
        f(getattr(gap, figure) for gap in many) / f(getattr(gap, figure) for gap in one)
        for figure in Gap._fields
        for f in (median, max)
    ]
    found.row("workers / 1 process", *ratios)
    p50 = median(gap.event for gap in many)
    found.at_most(f"take-over after kill -9: p50 at most {AIM} s", p50, AIM, " s")
    return found


async def takeovers(here: Installation, kills: int) -> list[Gap]:
    """Kill whichever worker has the run, and start another one after its run is done."""
    sql = await here.sql()
    while await sql.fetchval(YOUNG):  # noqa: ASYNC110  it is the database's clock
        await asyncio.sleep(0.2)

    async def kill(run_id: str) -> float:
        program = here.who(await sql.fetchval("SELECT owner FROM runs WHERE id = $1", run_id))
        killed = perf_counter()
        program.kill()
        return killed

    gaps = []
    async with connect_async(here.programs.apis[0].url) as client:
        for _ in range(kills):
            gaps.append(await gap(client, kill))
            await asyncio.to_thread(here.programs.worker().ready)
    await sql.close()
    return gaps


async def restarts(model: Server, folder: Path, kills: int) -> list[Gap]:
    """Kill the one process there is, and start it again at the same port."""
    settings = {"data": str(folder), "port": str(free_port()), "model_url": model.url, "model_key": "none"}
    running = [Program("serve", **settings)]
    running[0].ready()

    async def kill(_: str) -> float:
        killed = perf_counter()
        running.pop().kill()
        running.append(Program("serve", **settings))
        return killed

    try:
        async with connect_async(running[0].url) as client:
            return [await gap(client, kill) for _ in range(kills)]
    finally:
        for program in running:
            program.close()


async def gap(client: AsyncClient, kill: Kill) -> Gap:
    """One run that is followed while its worker dies, and must be whole in the end."""
    assistant = await client.create_assistant(AssistantRequest(model=MODEL))
    thread = await client.create_thread(ThreadRequest(messages=[MessageRequest(role="user", content="Hello")]))
    heard: list[tuple[float, Event]] = []
    speaking = asyncio.Event()

    async def follow() -> None:
        async with client.create_streaming_run(thread.id, RunRequest(assistant_id=assistant.id)) as stream:
            async for event in stream:
                heard.append((perf_counter(), event))
                if event.event == EventName.MESSAGE_DELTA:
                    speaking.set()

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(follow())
        await speaking.wait()
        await asyncio.sleep(random.random())  # the sweeps come once a second
        [run] = (await client.runs(thread.id)).data
        killed = await kill(run.id)
    last = heard[-1][1]
    said = text_of((await client.messages(thread.id, limit=1)).data[0])
    if last.event != EventName.RUN_COMPLETED or said != text(TOKENS):
        raise Lost(f"after the kill the run ended with {last.event}, and said {said!r}")
    # What was on its way when the worker died is no news of another one.
    news = [(at, event.event) for at, event in heard if at > killed]
    while news[0][1] == EventName.MESSAGE_DELTA:
        del news[0]
    token = next(at for at, name in news if name == EventName.MESSAGE_DELTA)
    return Gap(news[0][0] - killed, token - killed)
