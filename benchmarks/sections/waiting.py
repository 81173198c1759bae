"""How much memory does a run take while it waits for the model?"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

from benchmarks import processes
from benchmarks.fake_model import HELD_TOKENS, text
from benchmarks.installation import engines, installation
from benchmarks.load import Connection, Reply, connect, connections
from benchmarks.plan import Plan
from benchmarks.processes import Server
from benchmarks.report import Findings
from benchmarks.sections.cluster import target_of
from benchmarks.targets import HELLO, Assistants, Runstead, Targets, WrongAnswer, start_targets

CLIENTS = 50
WARM_UP = 20
KIB = 1024
UNLIMITED = {"project_runs": "0", "project_queue": "0"}
"""All runs of this section belong to one project."""
LONG_LIFETIME = {"run_lifetime": "3600"}
"""Creating all runs takes a while, and none may expire meanwhile."""
BATCH = 200
ACTIVE_RUNS = "SELECT count(*) FROM runs WHERE status IN ('in_progress', 'cancelling')"
MIN_RATE = 10
"""The lowest expected number of runs per second."""


async def measure(plan: Plan) -> Findings:
    """Memory growth of servers. Each measurement starts new ones, so that no run reuses freed memory."""
    async with warm_targets(plan, "created") as targets:
        target, model = targets.runstead, targets.model
        [created] = await grow_by_created(target, model, plan.waiting, [target.server], lambda: release(model))
    async with warm_targets(plan, "streamed") as targets:
        streamed = await grow_by_streams(targets.runstead, targets.model, plan.waiting)
        floor = await grow_by_streams(targets.floor, targets.model, plan.waiting)
    worker, api = await grow_in_cluster(plan)
    found = Findings("Runs that wait for the model", ("", "runs", "KiB per run", "KiB per run with a streaming client"))
    found.row("floor", f"{plan.waiting:,}", "", floor)
    found.row("runstead", f"{plan.waiting:,}", created, streamed)
    found.row("the worker of a cluster", f"{plan.waiting_in_worker:,}", worker, "")
    found.row("its api", f"{plan.waiting_in_worker:,}", api, "")
    found.row("the worker / runstead", "", worker / created, "")
    found.at_most("a waiting run holds at most 100 KiB", created, 100, " KiB")
    found.at_most("a waiting run with a streaming client holds at most 100 KiB", streamed, 100, " KiB")
    found.at_most(f"each of {plan.waiting_in_worker:,} runs in one worker holds at most 100 KiB", worker, 100, " KiB")
    return found


async def grow_in_cluster(plan: Plan) -> list[float]:
    """KiB per run in the only worker of a cluster, and in its api."""
    with (
        processes.small_server("fake_model") as model,
        engines(plan.disk) as on,
        installation(on, model, plan.disk / "crowd", apis=1, workers=0, both=0, **LONG_LIFETIME, **UNLIMITED) as here,
    ):
        config = plan.disk / "config.toml"
        config.write_text(f'[[upstream]]\nurl = "{model.url}"\nkey = "none"\nfirst_token_timeout = 3600.0\n')
        here.programs.worker("--config", str(config), max_runs=str(2 * plan.waiting_in_worker)).ready()
        target, sql = await target_of(here), await here.sql()
        await warm_up(target)

        async def release_in_batches() -> None:
            """Release the model's answers in batches. The section `burst` has them arrive together."""
            left = plan.waiting_in_worker
            while left:
                left -= await release(model, BATCH)
                while await sql.fetchval(ACTIVE_RUNS) > left + BATCH // 2:  # noqa: ASYNC110  another process
                    await asyncio.sleep(0.1)

        return await grow_by_created(
            target, model, plan.waiting_in_worker, here.workers + here.apis, release_in_batches
        )


@asynccontextmanager
async def warm_targets(plan: Plan, name: str) -> AsyncIterator[Targets]:
    """Targets that have executed some runs before the measurement."""
    async with start_targets(plan.disk / name, **UNLIMITED) as targets:
        for target in (targets.floor, targets.runstead):
            await warm_up(target)
        yield targets


async def warm_up(target: Assistants) -> None:
    async with connections(target.ports, 1) as (connection,):
        for _ in range(WARM_UP):
            target.check_run(await target.run(connection))


async def grow_by_created(
    target: Runstead,
    model: Server,
    count: int,
    watched: Sequence[Server],
    answer: Callable[[], Coroutine[Any, Any, object]],
) -> list[float]:
    """KiB per run in each of the servers, for runs without a client. Each run has to complete after
    `answer`, which lets the model answer.
    """
    async with connections(target.ports, CLIENTS) as opened, asyncio.timeout(60 + count / MIN_RATE):
        before = [server.resident() for server in watched]
        async with asyncio.TaskGroup() as group:
            share = count // CLIENTS
            creating = [group.create_task(create(target, connection, share)) for connection in opened]
        made = [task.result() for task in creating]
        await wait_for_held(model, share * CLIENTS)
        grown = [server.resident() - held for server, held in zip(watched, before, strict=True)]
        async with asyncio.TaskGroup() as group:
            group.create_task(answer())
            for connection, runs in zip(opened, made, strict=True):
                group.create_task(wait_for_all(connection, runs))
    return [each / KIB / (share * CLIENTS) for each in grown]


async def create(target: Runstead, connection: Connection, count: int, model: str = "hold") -> list[tuple[str, str]]:
    """Create `count` runs, each on its own thread. Returns the ids of thread and run."""
    body = {"assistant_id": target.assistant, "model": model, "thread": {"messages": [HELLO]}}
    runs = [(await connection.post("/v1/threads/runs", body)).json() for _ in range(count)]
    return [(run["thread_id"], run["id"]) for run in runs]


async def wait_for_all(connection: Connection, runs: list[tuple[str, str]]) -> None:
    for thread, run in runs:
        await wait_until_completed(connection, thread, run)


async def wait_until_completed(connection: Connection, thread: str, run: str) -> None:
    """Wait until the run has completed with its text."""
    while (status := (await connection.get(f"/v1/threads/{thread}/runs/{run}")).json()["status"]) != "completed":
        if status not in {"queued", "in_progress"}:
            raise WrongAnswer(f"a waiting run ended {status}")
        await asyncio.sleep(0.05)
    messages = (await connection.get(f"/v1/threads/{thread}/messages?limit=1")).json()["data"]
    if messages[0]["content"][0]["text"]["value"] != text(HELD_TOKENS):
        raise WrongAnswer(f"a waiting run has the text {messages[0]['content']!r}")


async def grow_by_streams(target: Assistants, model: Server, count: int) -> float:
    """KiB per run, for runs with a streaming client. Each client has to receive the whole text after the release."""
    before = target.server.resident()
    async with connections(target.server.port, count) as opened, asyncio.timeout(60):
        async with asyncio.TaskGroup() as group:
            reading = [group.create_task(open_stream(target, connection)) for connection in opened]
            await wait_for_held(model, count)
            grown = target.server.resident() - before
            await release(model)
        for task in reading:
            target.check(task.result(), HELD_TOKENS)
    return grown / KIB / count


async def open_stream(target: Assistants, connection: Connection) -> Reply:
    return await target.stream(connection, await target.prepare(connection), "hold")


async def wait_for_held(model: Server, count: int) -> None:
    """Wait until the model holds `count` calls."""
    asking = await connect(model.port)
    while (await asking.get("/held")).json()["held"] < count:  # noqa: ASYNC110  it waits in another process
        await asyncio.sleep(0.05)
    asking.close()


async def release(model: Server, limit: int | None = None) -> int:
    """Let the model answer the calls that it holds, or the `limit` oldest of them. Returns their number."""
    asking = await connect(model.port)
    reply = await asking.post("/release", limit)
    asking.close()
    return int(reply.json()["released"])
