"""How much does a run add to a direct model call, and how many runs per second are possible?"""

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from statistics import median
from time import perf_counter

from benchmarks.load import Reply, connections
from benchmarks.plan import Plan
from benchmarks.report import Findings
from benchmarks.targets import Target, start_targets

CONCURRENCY = (1, 16, 64)


@dataclass(frozen=True)
class Window:
    """Measurements of a target under load."""

    runs_per_second: float
    p50: float
    """Seconds per run."""
    p99: float
    cpu: float
    """Seconds of the server's processor time per run."""
    runs: int


async def measure(plan: Plan) -> Findings:
    windows: dict[tuple[str, int], list[Window]] = defaultdict(list)
    async with start_targets(plan.disk / "runs") as targets:
        for target in targets.all:
            await put_under_load(target, CONCURRENCY[-1], plan.window / 2)
        for _ in range(plan.rounds):
            for concurrency in CONCURRENCY:
                for target in targets.all:
                    windows[target.name, concurrency].append(await put_under_load(target, concurrency, plan.window))
    return _findings(windows)


async def put_under_load(target: Target, concurrency: int, seconds: float) -> Window:
    """Execute runs on `concurrency` connections for some seconds; every run is checked afterwards."""
    done: list[tuple[float, list[Reply]]] = []
    async with connections(target.ports, concurrency) as opened, asyncio.timeout(seconds + 60):
        used = target.server.cpu()
        started = perf_counter()

        async def work(index: int) -> None:
            while (began := perf_counter()) < started + seconds:
                replies = await target.run(opened[index])
                done.append((perf_counter() - began, replies))

        async with asyncio.TaskGroup() as group:
            for index in range(concurrency):
                group.create_task(work(index))
        elapsed = perf_counter() - started
        used = target.server.cpu() - used
    for _, replies in done:
        target.check_run(replies)
    took = sorted(took for took, _ in done)
    return Window(len(done) / elapsed, median(took), took[len(took) * 99 // 100], used / len(done), len(done))


def _findings(windows: dict[tuple[str, int], list[Window]]) -> Findings:
    def rate(name: str, concurrency: int) -> float:
        return median(window.runs_per_second for window in windows[name, concurrency])

    def p50(name: str) -> float:
        return 1000 * median(window.p50 for window in windows[name, 1])

    def cpu(name: str) -> float:
        return 1000 * median(window.cpu for window in windows[name, CONCURRENCY[-1]])

    found = Findings(
        "One run: create thread and message, stream a run of 20 tokens, get the run, list messages",
        ("", "p50 ms", "over direct", *(f"runs/s at {n}" for n in CONCURRENCY), "server CPU ms per run at 64"),
    )
    over = {name: p50(name) - p50("direct") for name in ("direct", "floor", "runstead")}
    for name, more in over.items():
        found.row(name, p50(name), more, *(rate(name, n) for n in CONCURRENCY), cpu(name))
    times_over = over["runstead"] / over["floor"]
    shares = [rate("runstead", n) / rate("floor", n) for n in CONCURRENCY]
    found.row("runstead / floor", p50("runstead") / p50("floor"), times_over, *shares, cpu("runstead") / cpu("floor"))
    found.at_most("one run: p50 over a direct call at most 4 times the floor's", times_over, 4)
    found.at_least("64 at once: at least 1/3 of the floor's runs/s", shares[-1], 1 / 3)
    found.at_most("64 at once: at most 3 times the floor's processor time", cpu("runstead") / cpu("floor"), 3)
    return found
