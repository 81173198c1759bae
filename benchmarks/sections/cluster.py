"""What do several processes on PostgreSQL and NATS do, against one on SQLite?"""

from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median

from benchmarks import processes
from benchmarks.installation import Installation, engines, installation
from benchmarks.plan import Plan
from benchmarks.report import Findings, number
from benchmarks.sections.runs import AT_ONCE, Window, press
from benchmarks.targets import Cluster, Runstead

LAYOUTS = {
    "1 process on both": (0, 0, 1),
    "1 api, 1 worker": (1, 1, 0),
    "1 api, 2 workers": (1, 2, 0),
    "1 api, 4 workers": (1, 4, 0),
    "2 apis, 4 workers": (2, 4, 0),
}
"""So many servers, workers, and processes that are both."""


@dataclass
class Turns:
    """What a layout did, and beside it the one process, in the same minute."""

    ours: dict[int, list[Window]] = field(default_factory=lambda: defaultdict(list))
    one: dict[int, list[Window]] = field(default_factory=lambda: defaultdict(list))
    used: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Processor seconds a run, by part, at the most at once."""


async def measure(plan: Plan) -> Findings:
    turns: dict[str, Turns] = {}
    with (
        processes.part("fake_model") as model,
        processes.runstead(model, plan.disk / "one") as server,
        engines(plan.disk) as on,
    ):
        one = Runstead(server)
        await one.create_assistant()
        for place, (name, (apis, workers, both)) in enumerate(LAYOUTS.items()):
            folder = plan.disk / f"layout-{place}"
            with installation(on, model, folder, apis=apis, workers=workers, both=both) as here:
                turns[name] = await beside(one, here, plan)
    return _findings(turns)


async def beside(one: Runstead, here: Installation, plan: Plan) -> Turns:
    """A layout and the one process, in turn."""
    turns, target = Turns(), await target_of(here)
    for each in (one, target):
        await press(each, AT_ONCE[-1], plan.window / 2)
    for _ in range(plan.cluster_rounds):
        for at_once in AT_ONCE:
            turns.one[at_once].append(await press(one, at_once, plan.window))
            before = here.cpu()
            turns.ours[at_once].append(window := await press(target, at_once, plan.window))
            if at_once == AT_ONCE[-1]:
                for part, seconds in here.cpu().items():
                    turns.used[part].append((seconds - before[part]) / window.runs)
    return turns


async def target_of(here: Installation) -> Cluster:
    """An installation, to be pressed."""
    target = Cluster(here.apis[0], servers=here.apis)
    await target.create_assistant()
    return target


def _findings(turns: dict[str, Turns]) -> Findings:
    found = Findings(
        "The same run on several processes; × is against one process on SQLite, measured beside it",
        ("", *(f"runs/s at {n}" for n in AT_ONCE), *(f"p50, p99 ms at {n}" for n in AT_ONCE), "CPU ms a run at 64"),
        note="CPU: api + worker + PostgreSQL + NATS. They, the load and the model share the processors.",
    )
    ones = {n: [window for turn in turns.values() for window in turn.one[n]] for n in AT_ONCE}
    used = 1000 * median(window.cpu for window in ones[AT_ONCE[-1]])
    found.row("1 process on SQLite", *(_rate(ones[n]) for n in AT_ONCE), *(_times(ones[n]) for n in AT_ONCE), used)
    for name, turn in turns.items():
        rates = [f"{number(_rate(turn.ours[n]))}  ×{_rate(turn.ours[n]) / _rate(turn.one[n]):.2f}" for n in AT_ONCE]
        times = [f"{_times(turn.ours[n])}  ×{_p50(turn.ours[n]) / _p50(turn.one[n]):.1f}" for n in AT_ONCE]
        parts = [1000 * median(seconds) for seconds in turn.used.values()]
        found.row(name, *rates, *times, f"{' + '.join(f'{part:.1f}' for part in parts)} = {sum(parts):.1f}")
    return found


def _rate(windows: list[Window]) -> float:
    return median(window.runs_per_second for window in windows)


def _p50(windows: list[Window]) -> float:
    return 1000 * median(window.p50 for window in windows)


def _times(windows: list[Window]) -> str:
    return f"{number(_p50(windows))}, {number(1000 * median(window.p99 for window in windows))}"
