"""How fast are several processes on PostgreSQL and NATS, compared with one on SQLite?"""

from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median

from benchmarks import processes
from benchmarks.installation import Installation, engines, installation
from benchmarks.plan import Plan
from benchmarks.report import Findings, number
from benchmarks.sections.runs import CONCURRENCY, Window, put_under_load
from benchmarks.targets import Cluster, Runstead

LAYOUTS = {
    "1 process on both": (0, 0, 1),
    "1 api, 1 worker": (1, 1, 0),
    "1 api, 2 workers": (1, 2, 0),
    "1 api, 4 workers": (1, 4, 0),
    "2 apis, 4 workers": (2, 4, 0),
}
"""The numbers of servers, workers, and processes with both roles."""


@dataclass
class Comparison:
    """Measurements of a layout, and of the single process in the same minute."""

    cluster: dict[int, list[Window]] = field(default_factory=lambda: defaultdict(list))
    one: dict[int, list[Window]] = field(default_factory=lambda: defaultdict(list))
    used: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Processor seconds per run, by kind of process, at the highest concurrency."""


async def measure(plan: Plan) -> Findings:
    comparisons: dict[str, Comparison] = {}
    with (
        processes.small_server("fake_model") as model,
        processes.runstead(model, plan.disk / "one") as server,
        engines(plan.disk) as on,
    ):
        one = Runstead(server)
        await one.create_assistant()
        for place, (name, (apis, workers, both)) in enumerate(LAYOUTS.items()):
            folder = plan.disk / f"layout-{place}"
            with installation(on, model, folder, apis=apis, workers=workers, both=both) as here:
                comparisons[name] = await compare(one, here, plan)
    return _findings(comparisons)


async def compare(one: Runstead, here: Installation, plan: Plan) -> Comparison:
    """Measure a layout and the single process alternately."""
    comparison, target = Comparison(), await target_of(here)
    for each in (one, target):
        await put_under_load(each, CONCURRENCY[-1], plan.window / 2)
    for _ in range(plan.cluster_rounds):
        for concurrency in CONCURRENCY:
            comparison.one[concurrency].append(await put_under_load(one, concurrency, plan.window))
            before = here.cpu()
            comparison.cluster[concurrency].append(window := await put_under_load(target, concurrency, plan.window))
            if concurrency == CONCURRENCY[-1]:
                for part, seconds in here.cpu().items():
                    comparison.used[part].append((seconds - before[part]) / window.runs)
    return comparison


async def target_of(here: Installation) -> Cluster:
    """The target of an installation."""
    target = Cluster(here.apis[0], servers=here.apis)
    await target.create_assistant()
    return target


def _findings(comparisons: dict[str, Comparison]) -> Findings:
    found = Findings(
        "The same run on several processes; × is against one process on SQLite, measured alternately",
        (
            "",
            *(f"runs/s at {n}" for n in CONCURRENCY),
            *(f"p50, p99 ms at {n}" for n in CONCURRENCY),
            "CPU ms per run at 64",
        ),
        note="CPU: api + worker + PostgreSQL + NATS. These, the load and the model share the processors.",
    )
    single = {n: [window for comparison in comparisons.values() for window in comparison.one[n]] for n in CONCURRENCY}
    used = 1000 * median(window.cpu for window in single[CONCURRENCY[-1]])
    found.row(
        "1 process on SQLite", *(_rate(single[n]) for n in CONCURRENCY), *(_times(single[n]) for n in CONCURRENCY), used
    )
    for name, comparison in comparisons.items():
        pairs = [(comparison.cluster[n], comparison.one[n]) for n in CONCURRENCY]
        rates = [f"{number(_rate(cluster))}  ×{_rate(cluster) / _rate(one):.2f}" for cluster, one in pairs]
        times = [f"{_times(cluster)}  ×{_p50(cluster) / _p50(one):.1f}" for cluster, one in pairs]
        parts = [1000 * median(seconds) for seconds in comparison.used.values()]
        found.row(name, *rates, *times, f"{' + '.join(f'{part:.1f}' for part in parts)} = {sum(parts):.1f}")
    return found


def _rate(windows: list[Window]) -> float:
    return median(window.runs_per_second for window in windows)


def _p50(windows: list[Window]) -> float:
    return 1000 * median(window.p50 for window in windows)


def _times(windows: list[Window]) -> str:
    return f"{number(_p50(windows))}, {number(1000 * median(window.p99 for window in windows))}"
