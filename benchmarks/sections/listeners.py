"""A thousand listeners on one run, and one client that listens to a thousand runs: how late, and at what price?"""

import asyncio
import json
import sys
from dataclasses import dataclass
from statistics import median
from time import perf_counter

from benchmarks import processes
from benchmarks.installation import engines, installation
from benchmarks.load import connections
from benchmarks.plan import Plan
from benchmarks.processes import Server
from benchmarks.report import Findings
from benchmarks.said import count_events
from benchmarks.sections.cluster import target_of
from benchmarks.sections.waiting import KIB, UNLIMITED, all_held, create, release
from benchmarks.targets import Runstead

TOKENS = 60
MODEL = f"hold-paced-{TOKENS}"
"""Speaks for three seconds, a token in 50 ms."""
MARK = b"thread.run.in_progress"
"""Who has heard this has heard everything there is until the model speaks."""
LONELY = "1 listener on 1 run"
BOUND = 180
"""Seconds for everything that one of these takes."""


@dataclass(frozen=True)
class Heard:
    """What came of a model's answer, from when it was given."""

    seconds: float
    """Until the last listener had the end."""
    each: float
    """Bytes of the server's memory for one who listens."""
    cpu: float
    """Seconds of the server's processor time for an event that somebody is told."""
    client: float = 0
    """Bytes of a client's memory for one run that it listens to."""


async def measure(plan: Plan) -> Findings:
    found = Findings(
        f"{plan.listeners:,} listeners",
        ("", "ms to the last end", "× 1 listener", "server CPU µs an event", "server KiB each", "client KiB each"),
        note=f"From the first of the {TOKENS} words, one in 50 ms, until the last listener has the end of the run. "
        "The many runs of one client all speak at once. The server of a cluster is its api.",
    )
    with processes.part("fake_model") as model, processes.runstead(model, plan.disk / "one", **UNLIMITED) as server:
        one = Runstead(server)
        await one.create_assistant()
        alone = await all_ways(one, model, plan.listeners)
    with (
        processes.part("fake_model") as model,
        engines(plan.disk) as on,
        installation(on, model, plan.disk / "many", apis=1, workers=1, both=0, **UNLIMITED) as here,
    ):
        many = await all_ways(await target_of(here), model, plan.listeners)
    for name, ways in {"1 process on SQLite": alone, "1 api, 1 worker": many}.items():
        for way, heard in ways.items():
            against = "" if heard.client else heard.seconds / ways[LONELY].seconds
            client = heard.client / KIB if heard.client else ""
            found.row(f"{name}: {way}", 1000 * heard.seconds, against, 1e6 * heard.cpu, heard.each / KIB, client)
    for way, heard in many.items():
        against = heard.seconds / alone[way].seconds
        found.row(f"cluster / 1 process: {way}", against, "", heard.cpu / alone[way].cpu, "", "")
    return found


async def all_ways(target: Runstead, model: Server, count: int) -> dict[str, Heard]:
    """Warm, and then the same for one and for many."""
    await on_one_run(target, model, 10)
    return {
        LONELY: await repeated(target, model, 1, 3),
        f"{count:,} on 1 run": await repeated(target, model, count, 3),
        f"1 client on {count:,} runs": await on_many_runs(target, model, count),
    }


async def repeated(target: Runstead, model: Server, count: int, times: int) -> Heard:
    """The median; the memory is that of the first, for the others find some that it left."""
    heard = [await on_one_run(target, model, count) for _ in range(times)]
    cpu = sum(each.cpu for each in heard) / times
    return Heard(median(each.seconds for each in heard), heard[0].each, cpu)


async def on_one_run(target: Runstead, model: Server, count: int) -> Heard:
    """So many listeners on one run; each must be told every token."""
    server = target.server
    async with connections(target.ports, count + 1) as (first, *opened), asyncio.timeout(BOUND):
        [(thread, run)] = await create(target, first, 1, MODEL)
        await all_held(model, 1)
        before = server.resident()
        async with asyncio.TaskGroup() as group:
            path = f"/v1/threads/{thread}/runs/{run}/events"
            listening = [group.create_task(each.get(path, MARK)) for each in opened]
            for each in opened:
                await each.marked.wait()
            each_holds = (server.resident() - before) / count
            used = server.cpu()
            spoken = perf_counter()
            await release(model)
        used = server.cpu() - used
    replies = [task.result() for task in listening]
    for reply in replies:
        target.check(reply, TOKENS)
    told = sum(count_events(reply.body) for reply in replies)
    return Heard(max(reply.ended for reply in replies) - spoken, each_holds, used / told)


async def on_many_runs(target: Runstead, model: Server, count: int) -> Heard:
    """One client that follows so many runs at once; each must say all that it has to."""
    server = target.server
    async with connections(target.ports, 20) as opened, asyncio.timeout(BOUND):
        shares = [len(range(place, count, len(opened))) for place in range(len(opened))]
        async with asyncio.TaskGroup() as group:
            creating = [group.create_task(create(target, *each)) for each in zip(opened, shares, strict=True)]
        await all_held(model, count)
        client = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.listener_probe", server.url.removesuffix("/v1")),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert client.stdin
        assert client.stdout
        before = server.resident()
        client.stdin.write(json.dumps([run for task in creating for run in task.result()]).encode() + b"\n")
        holds = json.loads(await client.stdout.readline())["bytes"]
        each_holds = (server.resident() - before) / count
        used = server.cpu()
        spoken = perf_counter()
        await release(model)
        told = json.loads(await client.stdout.readline())
        used = server.cpu() - used
        await client.wait()
    return Heard(told["ended"] - spoken, each_holds, used / told["events"], holds)
