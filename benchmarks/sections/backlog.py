"""One project has left thousands of runs to be done: how long does another one's single run wait behind them?

Projects cannot be told apart over HTTP yet. So the runs are made by an engine in this process: as the api of a cluster
whose workers are processes of their own, and as the one process that is all in one.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks import processes
from benchmarks.fake_model import HELD, text
from benchmarks.installation import engines, installation
from benchmarks.plan import Plan
from benchmarks.processes import Server
from benchmarks.report import Findings
from benchmarks.sections.waiting import all_held, release
from benchmarks.targets import MODEL, SHORT, Lost
from runstead import AssistantRequest, EventName, Message, MessageRequest, Run, Status, ThreadRequest, ThreadRunRequest
from runstead.bootstrap import application
from runstead.config import Config
from runstead.engine.resources.project import Project
from tests.support.worlds import text_of

MOST = 100
"""Runs of one project at once: the default."""
PACED = f"paced-{SHORT}"
"""Takes a second a run, as a model does, however idle the machine is."""
MAKERS = 20
IDLE = 20
STANDING = 20
"""Lone runs while nothing else is there, and while everything else stands still."""
AIM = 1.0
"""Seconds."""
RUNNING = "SELECT count(*) FROM runs WHERE project = 'big' AND status IN ('in_progress', 'cancelling')"

Sample = Callable[[], Coroutine[Any, Any, int]]


@dataclass
class Delays:
    """Seconds from the creation of a lone run to its first token."""

    idle: list[float] = field(default_factory=list)
    standing: list[float] = field(default_factory=list)
    """As many of the other project's runs as may be are held by the model, and all the others wait."""
    draining: list[float] = field(default_factory=list)
    """They are done, one after the other."""
    drained: float = 0
    """Seconds until the last of them is."""
    running: int = 0
    """The most of them that were seen at work at once."""


async def measure(plan: Plan) -> Findings:
    with processes.part("fake_model") as model:
        async with application(Config(data=str(plan.disk / "one"), model_url=model.url, model_key="none")) as engine:
            one = await behind(engine.project, model, plan.backlog)
        with engines(plan.disk) as on, installation(on, model, plan.disk / "many", apis=0, workers=2) as here:
            async with application(here.config(roles=("api",))) as engine:
                sql = await here.sql()
                many = await behind(engine.project, model, plan.backlog, lambda: sql.fetchval(RUNNING))
                await sql.close()
    return _findings(plan, {"1 process on SQLite": one, "2 workers": many})


async def behind(project: Callable[[str], Project], model: Server, count: int, running: Sample | None = None) -> Delays:
    """A backlog of so many runs, and lone runs of another project before, behind and beside it."""
    delays, big, small = Delays(), project("big"), project("small")
    for _ in range(IDLE):
        delays.idle.append(await lone(small))
    held = await make(big, MOST, "hold")
    await all_held(model, MOST)
    waiting = await make(big, count, PACED)
    for _ in range(STANDING):
        delays.standing.append(await lone(small))
    started = perf_counter()
    await release(model)
    draining = asyncio.create_task(all_done(big, held + waiting))
    watching = asyncio.create_task(watch(running, delays)) if running else None
    while not draining.done():
        delays.draining.append(await lone(small))
    await draining
    delays.drained = perf_counter() - started
    if watching:
        watching.cancel()
        await asyncio.wait([watching])
    return delays


async def lone(project: Project) -> float:
    """Seconds from the creation of a run to its first token; it must say all that it has to."""
    assistant = await project.create_assistant(AssistantRequest(model=MODEL))
    began, first, said = perf_counter(), 0.0, ""
    async for event in project.create_streaming_thread_run(asked(assistant.id)):
        if event.event == EventName.MESSAGE_DELTA:
            first = first or perf_counter()
        elif event.event == EventName.MESSAGE_COMPLETED and isinstance(event.data, Message):
            said = text_of(event.data)
    if event.event != EventName.RUN_COMPLETED or said != text(SHORT):
        raise Lost(f"a lone run ended with {event.event}, and said {said!r}")
    return first - began


async def make(project: Project, count: int, model: str) -> list[Run]:
    """So many runs, each on a thread of its own."""
    assistant = await project.create_assistant(AssistantRequest(model=model))

    async def some(number: int) -> list[Run]:
        return [await project.create_thread_run(asked(assistant.id)) for _ in range(number)]

    shares = [len(range(place, count, MAKERS)) for place in range(MAKERS)]
    return [run for made in await asyncio.gather(*map(some, shares)) for run in made]


def asked(assistant: str) -> ThreadRunRequest:
    thread = ThreadRequest(messages=[MessageRequest(role="user", content="Hello")])
    return ThreadRunRequest(assistant_id=assistant, thread=thread)


async def all_done(project: Project, runs: list[Run]) -> None:
    """Returns when every one of them has completed with its text."""
    for run in runs:
        while (status := (await project.get_run(run.thread_id, run.id)).status) != Status.COMPLETED:
            if status.terminal:
                raise Lost(f"a run of the backlog ended {status}")
            await asyncio.sleep(0.1)
        said = text_of((await project.messages(run.thread_id, limit=1)).data[0])
        if said not in {text(SHORT), text(HELD)}:
            raise Lost(f"a run of the backlog said {said!r}")


async def watch(running: Sample, delays: Delays) -> None:
    """Look how many of the big project's runs are at work, again and again."""
    while True:
        delays.running = max(delays.running, await running())
        await asyncio.sleep(0.02)


def _findings(plan: Plan, all_delays: dict[str, Delays]) -> Findings:
    found = Findings(
        f"A lone run behind {plan.backlog:,} of another project: ms from its creation to its first token, p50 and max",
        ("", "idle", "all of them wait", "against idle", "they are done", "against idle", "drained in s", "at once"),
        note=f"A run of the backlog takes a second, and {MOST} may be at work at once.",
    )
    for name, delays in all_delays.items():
        figures: list[str | float] = [both(delays.idle)]
        for times in (delays.standing, delays.draining):
            figures += [both(times), median(times) / median(delays.idle)]
        found.row(name, *figures, delays.drained, str(delays.running or ""))
    many, one = all_delays["2 workers"], all_delays["1 process on SQLite"]
    ratios = [median(getattr(many, each)) / median(getattr(one, each)) for each in ("idle", "standing", "draining")]
    found.row("workers / 1 process", ratios[0], ratios[1], "", ratios[2], "", many.drained / one.drained)
    found.at_most(
        f"a lone run behind {plan.backlog:,}: at most {AIM:g} s", max(many.standing + many.draining), AIM, " s"
    )
    found.at_most(f"no more than {MOST} runs of a project at once", many.running, MOST)
    return found


def both(times: list[float]) -> str:
    return f"{1000 * median(times):.0f}, {1000 * max(times):.0f}"
