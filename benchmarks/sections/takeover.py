"""How long does a stream pause when the worker of its run is killed?"""

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
from benchmarks.targets import WrongAnswer
from runstead import AssistantRequest, Event, EventName, MessageRequest, RunRequest, ThreadRequest, connect_async
from runstead.client import AsyncClient
from tests.support.program import Program
from tests.support.worlds import text_of

TOKENS = 40
MODEL = f"paced-{TOKENS}"
"""Sends tokens for two seconds; the worker is killed at a random time in the first one."""
GOAL = 1.5
"""Seconds."""
RECENTLY_STARTED = "SELECT pg_postmaster_start_time() + (SELECT max(lease) FROM workers) > clock_timestamp()"
"""No worker expires until a lease after the start of the database."""

Kill = Callable[[str], Awaitable[float]]
"""Kills the worker of a run, and returns the time."""


class Recovery(NamedTuple):
    """Seconds from a kill to what a reader of the stream receives next."""

    event: float
    """The first event of another worker."""
    token: float
    """The first token of the new answer."""


async def measure(plan: Plan) -> Findings:
    """Measure on an event loop of asyncio, in a thread of its own."""
    return await asyncio.to_thread(asyncio.run, _measure(plan))


async def _measure(plan: Plan) -> Findings:
    with processes.small_server("fake_model") as model:
        one = await measure_restarts(model, plan.disk / "one", plan.kills)
        with engines(plan.disk) as on, installation(on, model, plan.disk / "many", workers=2) as here:
            many = await measure_takeovers(here, plan.kills)
    found = Findings(
        f"kill -9 in the middle of a run, {plan.kills} times: ms until its reader gets the next event",
        ("", "first event, p50", "max", "first new token, p50", "max"),
        note="The single process is restarted at once, and its reader reconnects by itself.",
    )
    for name, recoveries in {"1 process on SQLite, restarted": one, "2 workers, one killed": many}.items():
        events, tokens = ([1000 * recovery[which] for recovery in recoveries] for which in (0, 1))
        found.row(name, median(events), max(events), median(tokens), max(tokens))
    ratios = [
        f(getattr(recovery, figure) for recovery in many) / f(getattr(recovery, figure) for recovery in one)
        for figure in Recovery._fields
        for f in (median, max)
    ]
    found.row("workers / 1 process", *ratios)
    p50 = median(recovery.event for recovery in many)
    found.at_most(f"recovery after kill -9: p50 at most {GOAL} s", p50, GOAL, " s")
    return found


async def measure_takeovers(here: Installation, kills: int) -> list[Recovery]:
    """Kill the worker that owns the run, and start another worker after the run has completed."""
    sql = await here.sql()
    while await sql.fetchval(RECENTLY_STARTED):  # noqa: ASYNC110  it is the database's clock
        await asyncio.sleep(0.2)

    async def kill(run_id: str) -> float:
        program = here.worker_process(await sql.fetchval("SELECT owner FROM runs WHERE id = $1", run_id))
        killed = perf_counter()
        program.kill()
        return killed

    recoveries = []
    async with connect_async(here.programs.apis[0].url) as client:
        for _ in range(kills):
            recoveries.append(await measure_recovery(client, kill))
            await asyncio.to_thread(here.programs.worker().ready)
    await sql.close()
    return recoveries


async def measure_restarts(model: Server, folder: Path, kills: int) -> list[Recovery]:
    """Kill the single process, and restart it on the same port."""
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
            return [await measure_recovery(client, kill) for _ in range(kills)]
    finally:
        for program in running:
            program.close()


async def measure_recovery(client: AsyncClient, kill: Kill) -> Recovery:
    """Read one run while its worker is killed; `WrongAnswer` if its text is not complete in the end."""
    assistant = await client.create_assistant(AssistantRequest(model=MODEL))
    thread = await client.create_thread(ThreadRequest(messages=[MessageRequest(role="user", content="Hello")]))
    received: list[tuple[float, Event]] = []
    streaming = asyncio.Event()

    async def follow() -> None:
        async with client.create_streaming_run(thread.id, RunRequest(assistant_id=assistant.id)) as stream:
            async for event in stream:
                received.append((perf_counter(), event))
                if event.event == EventName.MESSAGE_DELTA:
                    streaming.set()

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(follow())
        await streaming.wait()
        await asyncio.sleep(random.random())  # expired workers are removed once a second
        [run] = (await client.runs(thread.id)).data
        killed = await kill(run.id)
    last = received[-1][1]
    answer = text_of((await client.messages(thread.id, limit=1)).data[0])
    if last.event != EventName.RUN_COMPLETED or answer != text(TOKENS):
        raise WrongAnswer(f"after the kill the run ended with {last.event} and the text {answer!r}")
    # Deltas that were in flight when the worker was killed are not from another worker.
    after_kill = [(at, event.event) for at, event in received if at > killed]
    while after_kill[0][1] == EventName.MESSAGE_DELTA:
        del after_kill[0]
    token = next(at for at, name in after_kill if name == EventName.MESSAGE_DELTA)
    return Recovery(after_kill[0][0] - killed, token - killed)
