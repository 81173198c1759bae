"""How much memory does a run hold while the model says nothing?"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

from benchmarks import processes
from benchmarks.fake_model import HELD, text
from benchmarks.installation import engines, installation
from benchmarks.load import Connection, Reply, connect, connections
from benchmarks.plan import Plan
from benchmarks.processes import Server
from benchmarks.report import Findings
from benchmarks.sections.cluster import target_of
from benchmarks.targets import HELLO, Assistants, Lost, Runstead, Stage, stage

CLIENTS = 50
WARM_UP = 20
KIB = 1024
UNLIMITED = {"project_runs": "0", "project_queue": "0"}
"""All runs here are of one project."""
PATIENT = {"run_lifetime": "3600"}
"""It takes a while until so many are there, and nobody may run out of time meanwhile."""
AT_A_TIME = 200
RUNNING = "SELECT count(*) FROM runs WHERE status IN ('in_progress', 'cancelling')"
SLOWEST = 10
"""Runs a second that are certainly made and done."""


async def measure(plan: Plan) -> Findings:
    """Servers' growth, each from a fresh start, so that no run finds memory that another one left."""
    async with warm(plan, "created") as on:
        grown = grow_by_created(on.runstead, on.model, plan.waiting, [on.runstead.server], lambda: release(on.model))
        [created] = await grown
    async with warm(plan, "streamed") as on:
        streamed = await grow_by_streams(on.runstead, on.model, plan.waiting)
        floor = await grow_by_streams(on.floor, on.model, plan.waiting)
    worker, api = await crowd(plan)
    found = Findings("Runs that wait on the model", ("", "runs", "KiB a run", "KiB a run with its streaming client"))
    found.row("floor", f"{plan.waiting:,}", "", floor)
    found.row("runstead", f"{plan.waiting:,}", created, streamed)
    found.row("the worker of a cluster", f"{plan.crowd:,}", worker, "")
    found.row("its api", f"{plan.crowd:,}", api, "")
    found.row("the worker / runstead", "", worker / created, "")
    found.at_most("a waiting run holds at most 100 KiB", created, 100, " KiB")
    found.at_most("a waiting run with its streaming client holds at most 100 KiB", streamed, 100, " KiB")
    found.at_most(f"one of {plan.crowd:,} runs that wait in one worker holds at most 100 KiB", worker, 100, " KiB")
    return found


async def crowd(plan: Plan) -> list[float]:
    """KiB a run in the one worker of a cluster, and in its api."""
    with (
        processes.part("fake_model") as model,
        engines(plan.disk) as on,
        installation(on, model, plan.disk / "crowd", apis=1, workers=0, both=0, **PATIENT, **UNLIMITED) as here,
    ):
        patient = plan.disk / "patient.toml"
        patient.write_text(f'[[upstream]]\nurl = "{model.url}"\nkey = "none"\nfirst_token_timeout = 3600.0\n')
        here.programs.worker("--config", str(patient), max_runs=str(2 * plan.crowd)).ready()
        target, sql = await target_of(here), await here.sql()
        await warmed(target)

        async def release_by_and_by() -> None:
            """The machine could not answer so many at one moment, and nobody asks it to."""
            left = plan.crowd
            while left:
                left -= await release(model, AT_A_TIME)
                while await sql.fetchval(RUNNING) > left + AT_A_TIME // 2:  # noqa: ASYNC110  they end elsewhere
                    await asyncio.sleep(0.1)

        return await grow_by_created(target, model, plan.crowd, here.workers + here.apis, release_by_and_by)


@asynccontextmanager
async def warm(plan: Plan, name: str) -> AsyncIterator[Stage]:
    """A stage on which every line of code has run before."""
    async with stage(plan.disk / name, **UNLIMITED) as on:
        for target in (on.floor, on.runstead):
            await warmed(target)
        yield on


async def warmed(target: Assistants) -> None:
    async with connections(target.ports, 1) as (connection,):
        for _ in range(WARM_UP):
            target.check_run(await target.run(connection))


async def grow_by_created(
    target: Runstead,
    model: Server,
    count: int,
    watched: Sequence[Server],
    speak: Callable[[], Coroutine[Any, Any, object]],
) -> list[float]:
    """KiB a run in each of the servers, for runs that were created and left alone; each must complete when the model is
    made to speak.
    """
    async with connections(target.ports, CLIENTS) as opened, asyncio.timeout(60 + count / SLOWEST):
        before = [server.resident() for server in watched]
        async with asyncio.TaskGroup() as group:
            share = count // CLIENTS
            creating = [group.create_task(create(target, connection, share)) for connection in opened]
        made = [task.result() for task in creating]
        await all_held(model, share * CLIENTS)
        grown = [server.resident() - held for server, held in zip(watched, before, strict=True)]
        async with asyncio.TaskGroup() as group:
            group.create_task(speak())
            for connection, runs in zip(opened, made, strict=True):
                group.create_task(all_completed(connection, runs))
    return [each / KIB / (share * CLIENTS) for each in grown]


async def create(target: Runstead, connection: Connection, count: int, model: str = "hold") -> list[tuple[str, str]]:
    """So many runs, each on a thread of its own: the ids of both."""
    body = {"assistant_id": target.assistant, "model": model, "thread": {"messages": [HELLO]}}
    runs = [(await connection.post("/v1/threads/runs", body)).json() for _ in range(count)]
    return [(run["thread_id"], run["id"]) for run in runs]


async def all_completed(connection: Connection, runs: list[tuple[str, str]]) -> None:
    for thread, run in runs:
        await completed(connection, thread, run)


async def completed(connection: Connection, thread: str, run: str) -> None:
    """Returns when the run has completed with its text."""
    while (status := (await connection.get(f"/v1/threads/{thread}/runs/{run}")).json()["status"]) != "completed":
        if status not in {"queued", "in_progress"}:
            raise Lost(f"a waiting run ended {status}")
        await asyncio.sleep(0.05)
    messages = (await connection.get(f"/v1/threads/{thread}/messages?limit=1")).json()["data"]
    if messages[0]["content"][0]["text"]["value"] != text(HELD):
        raise Lost(f"a waiting run said {messages[0]['content']!r}")


async def grow_by_streams(target: Assistants, model: Server, count: int) -> float:
    """KiB a run, for runs whose clients listen; each must get the whole text when the model speaks."""
    before = target.server.resident()
    async with connections(target.server.port, count) as opened, asyncio.timeout(60):
        async with asyncio.TaskGroup() as group:
            reading = [group.create_task(hold(target, connection)) for connection in opened]
            await all_held(model, count)
            grown = target.server.resident() - before
            await release(model)
        for task in reading:
            target.check(task.result(), HELD)
    return grown / KIB / count


async def hold(target: Assistants, connection: Connection) -> Reply:
    return await target.stream(connection, await target.prepare(connection), "hold")


async def all_held(model: Server, count: int) -> None:
    """Returns when so many calls wait at the model."""
    asking = await connect(model.port)
    while (await asking.get("/held")).json()["held"] < count:  # noqa: ASYNC110  it waits in another process
        await asyncio.sleep(0.05)
    asking.close()


async def release(model: Server, most: int | None = None) -> int:
    """Let the model speak, to all who wait or to some; to how many it does."""
    asking = await connect(model.port)
    reply = await asking.post("/release", most)
    asking.close()
    return int(reply.json()["released"])
