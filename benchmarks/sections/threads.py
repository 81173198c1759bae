"""Do calls on a long thread take longer than on a short one?"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from statistics import median
from time import perf_counter

from benchmarks.load import Connection, connections
from benchmarks.plan import Plan
from benchmarks.report import Findings
from benchmarks.targets import Runstead, WrongAnswer, start_targets

KEPT = 10
"""The number of newest messages in the prompt of a run."""
FLAT = 1.25
"""Ratios up to this are noise."""
REPEATS = {"run": 10, "list(20)": 20, "list(20) from the oldest": 20, "get": 20}
"""Runs go first in each round, so that the shortest thread has twenty messages to list."""


async def measure(plan: Plan) -> Findings:
    times: dict[tuple[str, int], list[float]] = defaultdict(list)
    async with (
        start_targets(plan.disk / "threads") as targets,
        connections(targets.runstead.server.port, 1) as (connection,),
    ):
        started = perf_counter()
        made = [await fill(connection, length) for length in plan.lengths]
        filled = perf_counter() - started
        threads = {n: calls(targets.runstead, connection, *ids) for n, ids in zip(plan.lengths, made, strict=True)}
        async with asyncio.timeout(120):
            for _ in range(plan.rounds):
                for name, repeats in REPEATS.items():
                    for _ in range(repeats):
                        for length, thread in threads.items():
                            times[name, length].append(await timed(thread[name]))
    return _findings(plan, times, filled)


async def fill(connection: Connection, length: int) -> tuple[str, str]:
    """Create a thread of `length` messages by one POST /threads. Returns its id and that of its newest message."""
    messages = [{"role": "user", "content": f"Message {number}"} for number in range(length)]
    async with asyncio.timeout(120):
        thread = (await connection.post("/v1/threads", {"messages": messages})).json()["id"]
        newest = (await connection.get(f"/v1/threads/{thread}/messages?limit=1")).json()["data"][0]
    if newest["content"][0]["text"]["value"] != f"Message {length - 1}":
        raise WrongAnswer(f"the newest of {length} messages is {newest!r}")
    return thread, newest["id"]


def calls(
    target: Runstead, connection: Connection, thread: str, message: str
) -> dict[str, Callable[[], Awaitable[None]]]:
    async def get() -> None:
        await connection.get(f"/v1/threads/{thread}/messages/{message}")

    async def newest() -> None:
        await connection.get(f"/v1/threads/{thread}/messages?limit=20")

    async def oldest() -> None:
        await connection.get(f"/v1/threads/{thread}/messages?limit=20&order=asc")

    async def run() -> None:
        kept = {"type": "last_messages", "last_messages": KEPT}
        body = {"assistant_id": target.assistant, "truncation_strategy": kept}
        run = (await connection.post(f"/v1/threads/{thread}/runs", body | {"stream": True})).body
        if b'"prompt_tokens":%d,' % KEPT not in run.replace(b" ", b""):
            raise WrongAnswer(f"the prompt does not have {KEPT} messages: {run[-600:]!r}")

    return {"run": run, "list(20)": newest, "list(20) from the oldest": oldest, "get": get}


async def timed(call: Callable[[], Awaitable[None]]) -> float:
    started = perf_counter()
    await call()
    return perf_counter() - started


def _findings(plan: Plan, times: dict[tuple[str, int], list[float]], filled: float) -> Findings:
    shortest, *longer = plan.lengths
    found = Findings(
        f"Long threads: ms per call, and the ratio to the thread of {shortest}",
        ("", *(f"{length:,} messages" for length in plan.lengths), *(f"{length:,} / {shortest}" for length in longer)),
        note=f"The prompt of a run has the last {KEPT} messages. POST /threads created the threads in {filled:.1f} s.",
    )
    for name in REPEATS:
        p50 = {length: 1000 * median(times[name, length]) for length in plan.lengths}
        ratios = [p50[length] / p50[shortest] for length in longer]
        found.row(name, *p50.values(), *ratios)
        found.at_most(
            f"{name} is flat: at {longer[-1]:,} messages at most {FLAT} times the short thread's time", ratios[-1], FLAT
        )
    return found
