"""How much memory does a run hold while the model says nothing?"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from benchmarks.fake_model import HELD, text
from benchmarks.load import Connection, Reply, connect, connections
from benchmarks.plan import Plan
from benchmarks.processes import Server
from benchmarks.report import Findings
from benchmarks.targets import Assistants, Lost, Runstead, Stage, stage

CLIENTS = 50
WARM_UP = 20
KIB = 1024


async def measure(plan: Plan) -> Findings:
    """Three servers' growth, each from a fresh start, so that no run finds memory that another one left."""
    async with warm(plan, "created") as on:
        created = await grow_by_created(on, plan.waiting)
    async with warm(plan, "streamed") as on:
        streamed = await grow_by_streams(on.runstead, on.model, plan.waiting)
        floor = await grow_by_streams(on.floor, on.model, plan.waiting)
    found = Findings(
        f"{plan.waiting:,} runs waiting on the model", ("", "KiB a run", "KiB a run with its streaming client")
    )
    found.row("floor", "", floor)
    found.row("runstead", created, streamed)
    found.at_most("a waiting run holds at most 100 KiB", created, 100, " KiB")
    found.at_most("a waiting run with its streaming client holds at most 100 KiB", streamed, 100, " KiB")
    return found


@asynccontextmanager
async def warm(plan: Plan, name: str) -> AsyncIterator[Stage]:
    """A stage on which every line of code has run before."""
    async with stage(plan.disk / name) as on:
        for target in (on.floor, on.runstead):
            async with connections(target.server.port, 1) as (connection,):
                for _ in range(WARM_UP):
                    target.check_run(await target.run(connection))
        yield on


async def grow_by_created(on: Stage, count: int) -> float:
    """KiB a run, for runs that were created and left alone; each must complete when the model speaks."""
    target = on.runstead
    async with connections(target.server.port, CLIENTS) as opened:
        before = target.server.resident()
        share = [count // CLIENTS] * CLIENTS
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            creating = [group.create_task(create(target, *each)) for each in zip(opened, share, strict=True)]
        runs = [run for task in creating for run in task.result()]
        await all_held(on.model, len(runs))
        grown = target.server.resident() - before
        await release(on.model)
        for thread, run in runs:
            await completed(opened[0], thread, run)
    return grown / KIB / len(runs)


async def create(target: Runstead, connection: Connection, count: int) -> list[tuple[str, str]]:
    body = {"assistant_id": target.assistant, "model": "hold"}
    threads = [await target.prepare(connection) for _ in range(count)]
    return [(thread, (await connection.post(f"/v1/threads/{thread}/runs", body)).json()["id"]) for thread in threads]


async def completed(connection: Connection, thread: str, run: str) -> None:
    """Returns when the run has completed with its text; bounded."""
    async with asyncio.timeout(30):
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
    """Returns when so many calls wait at the model; bounded."""
    asking = await connect(model.port)
    async with asyncio.timeout(60):
        while (await asking.get("/held")).json()["held"] < count:  # noqa: ASYNC110  it waits in another process
            await asyncio.sleep(0.05)
    asking.close()


async def release(model: Server) -> None:
    asking = await connect(model.port)
    await asking.post("/release")
    asking.close()
