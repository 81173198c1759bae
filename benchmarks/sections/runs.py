"""What does one run cost over a direct call, and how many fit into a second?"""

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from statistics import median
from time import perf_counter

from benchmarks.load import Reply, connections
from benchmarks.plan import Plan
from benchmarks.report import Findings
from benchmarks.targets import Target, stage

AT_ONCE = (1, 16, 64)


@dataclass(frozen=True)
class Window:
    """What a target did in one turn under load."""

    runs_per_second: float
    p50: float
    """Seconds of one run."""
    p99: float
    cpu: float
    """Seconds of the server's processor time a run."""
    runs: int


async def measure(plan: Plan) -> Findings:
    windows: dict[tuple[str, int], list[Window]] = defaultdict(list)
    async with stage(plan.disk / "runs") as on:
        for target in on.all:
            await press(target, AT_ONCE[-1], plan.window / 2)
        for _ in range(plan.rounds):
            for at_once in AT_ONCE:
                for target in on.all:
                    windows[target.name, at_once].append(await press(target, at_once, plan.window))
    return _findings(windows)


async def press(target: Target, at_once: int, seconds: float) -> Window:
    """Run after run on `at_once` connections for so long; every run is checked when the clock has stopped."""
    done: list[tuple[float, list[Reply]]] = []
    async with connections(target.ports, at_once) as opened, asyncio.timeout(seconds + 60):
        used = target.server.cpu()
        started = perf_counter()

        async def work(index: int) -> None:
            while (began := perf_counter()) < started + seconds:
                replies = await target.run(opened[index])
                done.append((perf_counter() - began, replies))

        async with asyncio.TaskGroup() as group:
            for index in range(at_once):
                group.create_task(work(index))
        elapsed = perf_counter() - started
        used = target.server.cpu() - used
    for _, replies in done:
        target.check_run(replies)
    took = sorted(took for took, _ in done)
    return Window(len(done) / elapsed, median(took), took[len(took) * 99 // 100], used / len(done), len(done))


def _findings(windows: dict[tuple[str, int], list[Window]]) -> Findings:
    def rate(name: str, at_once: int) -> float:
        return median(window.runs_per_second for window in windows[name, at_once])

    def p50(name: str) -> float:
        return 1000 * median(window.p50 for window in windows[name, 1])

    found = Findings(
        "One run: thread, message, streamed run of 20 tokens, read the run, read the answer",
        ("", "p50 ms", "over direct", *(f"runs/s at {at_once}" for at_once in AT_ONCE), "server CPU ms a run at 64"),
    )
    for name in ("direct", "floor", "runstead"):
        cpu = 1000 * median(window.cpu for window in windows[name, 64])
        found.row(name, p50(name), p50(name) - p50("direct"), *(rate(name, at_once) for at_once in AT_ONCE), cpu)
    shares = [rate("runstead", at_once) / rate("floor", at_once) for at_once in AT_ONCE]
    found.row("runstead / floor", p50("runstead") / p50("floor"), "", *shares)
    found.at_most("one run: p50 at most 5 ms over a direct model call", p50("runstead") - p50("direct"), 5, " ms")
    found.at_least("64 at once: at least 1/3 of the floor's runs/s", shares[-1], 1 / 3)
    return found
