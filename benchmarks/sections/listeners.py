"""A thousand readers of one run, and one client that reads a thousand runs: how long is the delay, at what cost?"""

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
from benchmarks.sections.cluster import target_of
from benchmarks.sections.waiting import KIB, UNLIMITED, create, release, wait_for_held
from benchmarks.stream_text import count_events
from benchmarks.targets import Runstead

TOKENS = 60
MODEL = f"hold-paced-{TOKENS}"
"""Sends a token every 50 ms, for three seconds."""
ACTIVE = b"thread.run.in_progress"
"""A reader that received this event has received all events until the model answers."""
ONE_READER = "1 reader of 1 run"
TIMEOUT = 180
"""Seconds for one measurement."""


@dataclass(frozen=True)
class FanOut:
    """How an answer reached its readers, measured from the model's first token."""

    seconds: float
    """Until the last reader had the end of the run."""
    each: float
    """Bytes of the server's memory per reader."""
    cpu: float
    """Seconds of the server's processor time per delivered event."""
    client: float = 0
    """Bytes of the client's memory per run."""


async def measure(plan: Plan) -> Findings:
    found = Findings(
        f"{plan.listeners:,} readers",
        ("", "ms to the last end", "/ 1 reader", "server CPU µs per event", "server KiB each", "client KiB each"),
        note=f"From the first of the {TOKENS} tokens, one every 50 ms, until the last reader has the end of the run. "
        "The many runs of one client all stream at once. The server of a cluster is its api.",
    )
    with (
        processes.small_server("fake_model") as model,
        processes.runstead(model, plan.disk / "one", **UNLIMITED) as server,
    ):
        one = Runstead(server)
        await one.create_assistant()
        one_process = await measure_all(one, model, plan.listeners)
    with (
        processes.small_server("fake_model") as model,
        engines(plan.disk) as on,
        installation(on, model, plan.disk / "cluster", apis=1, workers=1, both=0, **UNLIMITED) as here,
    ):
        cluster = await measure_all(await target_of(here), model, plan.listeners)
    for name, results in {"1 process on SQLite": one_process, "1 api, 1 worker": cluster}.items():
        for case, result in results.items():
            against = "" if result.client else result.seconds / results[ONE_READER].seconds
            client = result.client / KIB if result.client else ""
            found.row(f"{name}: {case}", 1000 * result.seconds, against, 1e6 * result.cpu, result.each / KIB, client)
    for case, result in cluster.items():
        against = result.seconds / one_process[case].seconds
        found.row(f"cluster / 1 process: {case}", against, "", result.cpu / one_process[case].cpu, "", "")
    return found


async def measure_all(target: Runstead, model: Server, count: int) -> dict[str, FanOut]:
    """Warm up, and then measure one reader, many readers, and one client on many runs."""
    await readers_of_one_run(target, model, 10)
    return {
        ONE_READER: await repeated(target, model, 1, 3),
        f"{count:,} readers of 1 run": await repeated(target, model, count, 3),
        f"1 client on {count:,} runs": await client_on_many_runs(target, model, count),
    }


async def repeated(target: Runstead, model: Server, count: int, times: int) -> FanOut:
    """The median; the memory of the first measurement, because the later ones reuse memory that it freed."""
    measured = [await readers_of_one_run(target, model, count) for _ in range(times)]
    cpu = sum(each.cpu for each in measured) / times
    return FanOut(median(each.seconds for each in measured), measured[0].each, cpu)


async def readers_of_one_run(target: Runstead, model: Server, count: int) -> FanOut:
    """`count` readers of one run; each has to receive every token."""
    server = target.server
    async with connections(target.ports, count + 1) as (first, *opened), asyncio.timeout(TIMEOUT):
        [(thread, run)] = await create(target, first, 1, MODEL)
        await wait_for_held(model, 1)
        before = server.resident()
        async with asyncio.TaskGroup() as group:
            path = f"/v1/threads/{thread}/runs/{run}/events"
            reading = [group.create_task(each.get(path, ACTIVE)) for each in opened]
            for each in opened:
                await each.marked.wait()
            memory_each = (server.resident() - before) / count
            used = server.cpu()
            released = perf_counter()
            await release(model)
        used = server.cpu() - used
    replies = [task.result() for task in reading]
    for reply in replies:
        target.check(reply, TOKENS)
    delivered = sum(count_events(reply.body) for reply in replies)
    return FanOut(max(reply.ended for reply in replies) - released, memory_each, used / delivered)


async def client_on_many_runs(target: Runstead, model: Server, count: int) -> FanOut:
    """One client that reads `count` runs at once; each has to have the complete text."""
    server = target.server
    async with connections(target.ports, 20) as opened, asyncio.timeout(TIMEOUT):
        shares = [len(range(place, count, len(opened))) for place in range(len(opened))]
        async with asyncio.TaskGroup() as group:
            creating = [group.create_task(create(target, *each)) for each in zip(opened, shares, strict=True)]
        await wait_for_held(model, count)
        client = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.listener_probe", server.url.removesuffix("/v1")),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert client.stdin
        assert client.stdout
        before = server.resident()
        client.stdin.write(json.dumps([run for task in creating for run in task.result()]).encode() + b"\n")
        client_memory = json.loads(await client.stdout.readline())["bytes"]
        memory_each = (server.resident() - before) / count
        used = server.cpu()
        released = perf_counter()
        await release(model)
        ended = json.loads(await client.stdout.readline())
        used = server.cpu() - used
        await client.wait()
    return FanOut(ended["ended"] - released, memory_each, used / ended["events"], client_memory)
