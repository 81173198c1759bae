"""Do thousands of runs end when the answers of all arrive in the same moment, and is each model call made once?

One engine in this process, over a PostgreSQL with durable commits, with the default lease. Its model is a script that
holds every answer back until the model was asked for all of them.
"""

import asyncio
from time import perf_counter

import asyncpg

from benchmarks.installation import engines
from benchmarks.plan import Plan
from benchmarks.report import Findings
from benchmarks.targets import WrongAnswer
from runstead import MessageRequest, ThreadRequest, ThreadRunRequest
from runstead.llm.scripted import Gate, say
from runstead.wire.assistant import AssistantRequest
from runstead.worker.lease import LEASE
from tests.support.worlds import World
from tests.worker.processes import starter, worker_of

ANSWER = ("All", " at", " once.")
SCHEMA = "burst"
CREATORS = 20
ENDED = f"SELECT status, count(*) FROM {SCHEMA}.runs GROUP BY status"
LIMIT = 900
"""Seconds after which runs that have not ended are taken for stuck."""


async def measure(plan: Plan) -> Findings:
    gate = Gate()
    with engines(plan.disk) as on:
        start = starter(SCHEMA, on.postgres.url)
        async with start(lambda _: [gate, say(*ANSWER)], lease=LEASE, slots=plan.burst, lifetime=3600) as here:
            name = worker_of(here).name
            sql = await asyncpg.connect(on.postgres.url)
            await create_runs(here, plan.burst)
            while len(here.model.requests) < plan.burst:  # noqa: ASYNC110 - the script gives no signal
                await asyncio.sleep(0.1)
            began = perf_counter()
            gate.open()
            await wait_for_all(sql, plan.burst)
            seconds = perf_counter() - began
            calls = len(here.model.requests)
            renamed = worker_of(here).name != name
            await sql.close()
    found = Findings(
        f"{plan.burst:,} runs whose model answers all in the same moment",
        ("", "runs", "model calls", "s to the last end", "runs per second"),
        note=f"The lease is {LEASE:g} s. The worker was {'' if renamed else 'not '}expired meanwhile.",
    )
    found.row("one process on PostgreSQL", f"{plan.burst:,}", f"{calls:,}", seconds, plan.burst / seconds)
    found.at_most(f"{plan.burst:,} answers at once: one model call for each run", calls / plan.burst, 1)
    return found


async def create_runs(here: World, count: int) -> None:
    """Create `count` runs, each on its own thread."""
    assistant = await here.project.create_assistant(AssistantRequest(model="any"))
    thread = ThreadRequest(messages=[MessageRequest(role="user", content="Hello")])
    request = ThreadRunRequest(assistant_id=assistant.id, thread=thread)

    async def create(number: int) -> None:
        for _ in range(number):
            await here.project.create_thread_run(request)

    await asyncio.gather(*(create(len(range(place, count, CREATORS))) for place in range(CREATORS)))


async def wait_for_all(sql: asyncpg.Connection, count: int) -> None:
    """Wait until every run has completed."""
    async with asyncio.timeout(LIMIT):
        while (statuses := dict(await sql.fetch(ENDED))) != {"completed": count}:
            if set(statuses) - {"in_progress", "queued", "completed"}:
                raise WrongAnswer(f"the runs ended as {statuses}")
            await asyncio.sleep(0.2)
