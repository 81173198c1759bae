"""How long does a single run of one project wait behind thousands of runs of another project?

There are no keys for other projects yet. So an engine in this process creates the runs: as the api of a cluster whose
workers are separate processes, and as a single process with both roles.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks import processes
from benchmarks.fake_model import HELD_TOKENS, text
from benchmarks.installation import engines, installation
from benchmarks.plan import Plan
from benchmarks.processes import Server
from benchmarks.report import Findings
from benchmarks.sections.waiting import release, wait_for_held
from benchmarks.targets import MODEL, SHORT_TOKENS, WrongAnswer
from runstead import AssistantRequest, EventName, Message, MessageRequest, Run, Status, ThreadRequest, ThreadRunRequest
from runstead.bootstrap import application
from runstead.config import Config
from runstead.engine.resources.project import Project
from tests.support.callers import project_of
from tests.support.worlds import text_of

PROJECT_LIMIT = 100
"""The default limit of concurrent runs of a project."""
PACED = f"paced-{SHORT_TOKENS}"
"""A model that takes a second for a run, whatever the load of the machine."""
CREATORS = 20
IDLE_RUNS = 20
"""Single runs that are measured without any other run."""
BLOCKED_RUNS = 20
"""Single runs that are measured while all other runs are blocked."""
GOAL = 1.0
"""Seconds."""
ACTIVE_RUNS = "SELECT count(*) FROM runs WHERE project = 'large' AND status IN ('in_progress', 'cancelling')"

CountActive = Callable[[], Coroutine[Any, Any, int]]


@dataclass
class Delays:
    """Seconds from the creation of a single run to its first token."""

    idle: list[float] = field(default_factory=list)
    blocked: list[float] = field(default_factory=list)
    """While the model holds as many runs of the other project as its limit allows, and the rest is queued."""
    draining: list[float] = field(default_factory=list)
    """While these runs are executed."""
    drained: float = 0
    """Seconds until the last of them has completed."""
    max_active: int = 0
    """The highest observed number of active runs of the other project."""


async def measure(plan: Plan) -> Findings:
    with processes.small_server("fake_model") as model:
        async with application(Config(data=str(plan.disk / "one"), model_url=model.url, model_key="none")) as engine:
            one = await measure_delays(partial(project_of, engine), model, plan.backlog)
        with engines(plan.disk) as on, installation(on, model, plan.disk / "many", apis=0, workers=2) as here:
            async with application(here.config(roles=("api",))) as engine:
                sql = await here.sql()
                projects = partial(project_of, engine)
                many = await measure_delays(projects, model, plan.backlog, lambda: sql.fetchval(ACTIVE_RUNS))
                await sql.close()
    return _findings(plan, {"1 process on SQLite": one, "2 workers": many})


async def measure_delays(
    project: Callable[[str], Project], model: Server, count: int, count_active: CountActive | None = None
) -> Delays:
    """Measure single runs before, behind and during a backlog of `count` runs of another project."""
    delays, large, small = Delays(), project("large"), project("small")
    for _ in range(IDLE_RUNS):
        delays.idle.append(await time_single_run(small))
    held = await create_runs(large, PROJECT_LIMIT, "hold")
    await wait_for_held(model, PROJECT_LIMIT)
    waiting = await create_runs(large, count, PACED)
    for _ in range(BLOCKED_RUNS):
        delays.blocked.append(await time_single_run(small))
    started = perf_counter()
    await release(model)
    draining = asyncio.create_task(wait_for_all(large, held + waiting))
    sampling = asyncio.create_task(sample_active_runs(count_active, delays)) if count_active else None
    while not draining.done():
        delays.draining.append(await time_single_run(small))
    await draining
    delays.drained = perf_counter() - started
    if sampling:
        sampling.cancel()
        await asyncio.wait([sampling])
    return delays


async def time_single_run(project: Project) -> float:
    """Seconds from the creation of a run to its first token; `WrongAnswer` if its text is not complete."""
    assistant = await project.create_assistant(AssistantRequest(model=MODEL))
    began, first, answer = perf_counter(), 0.0, ""
    async for event in project.create_streaming_thread_run(run_request(assistant.id)):
        if event.event == EventName.MESSAGE_DELTA:
            first = first or perf_counter()
        elif event.event == EventName.MESSAGE_COMPLETED and isinstance(event.data, Message):
            answer = text_of(event.data)
    if event.event != EventName.RUN_COMPLETED or answer != text(SHORT_TOKENS):
        raise WrongAnswer(f"a single run ended with {event.event} and the text {answer!r}")
    return first - began


async def create_runs(project: Project, count: int, model: str) -> list[Run]:
    """Create `count` runs, each on its own thread."""
    assistant = await project.create_assistant(AssistantRequest(model=model))

    async def create(number: int) -> list[Run]:
        return [await project.create_thread_run(run_request(assistant.id)) for _ in range(number)]

    shares = [len(range(place, count, CREATORS)) for place in range(CREATORS)]
    return [run for made in await asyncio.gather(*map(create, shares)) for run in made]


def run_request(assistant: str) -> ThreadRunRequest:
    thread = ThreadRequest(messages=[MessageRequest(role="user", content="Hello")])
    return ThreadRunRequest(assistant_id=assistant, thread=thread)


async def wait_for_all(project: Project, runs: list[Run]) -> None:
    """Wait until every run has completed with its text."""
    for run in runs:
        while (status := (await project.get_run(run.thread_id, run.id)).status) != Status.COMPLETED:
            if status.terminal:
                raise WrongAnswer(f"a run of the backlog ended {status}")
            await asyncio.sleep(0.1)
        answer = text_of((await project.messages(run.thread_id, limit=1)).data[0])
        if answer not in {text(SHORT_TOKENS), text(HELD_TOKENS)}:
            raise WrongAnswer(f"a run of the backlog has the text {answer!r}")


async def sample_active_runs(count_active: CountActive, delays: Delays) -> None:
    """Poll the number of active runs of the large project."""
    while True:
        delays.max_active = max(delays.max_active, await count_active())
        await asyncio.sleep(0.02)


def _findings(plan: Plan, all_delays: dict[str, Delays]) -> Findings:
    found = Findings(
        f"A single run behind {plan.backlog:,} of another project: ms from creation to first token, p50 and max",
        ("", "idle", "blocked", "/ idle", "executing", "/ idle", "completed in s", "concurrent"),
        note=f"A run of the backlog takes a second, and {PROJECT_LIMIT} may execute at once.",
    )
    for name, delays in all_delays.items():
        figures: list[str | float] = [p50_and_max(delays.idle)]
        for times in (delays.blocked, delays.draining):
            figures += [p50_and_max(times), median(times) / median(delays.idle)]
        found.row(name, *figures, delays.drained, str(delays.max_active or ""))
    many, one = all_delays["2 workers"], all_delays["1 process on SQLite"]
    ratios = [median(getattr(many, each)) / median(getattr(one, each)) for each in ("idle", "blocked", "draining")]
    found.row("workers / 1 process", ratios[0], ratios[1], "", ratios[2], "", many.drained / one.drained)
    found.at_most(
        f"a single run behind {plan.backlog:,}: at most {GOAL:g} s", max(many.blocked + many.draining), GOAL, " s"
    )
    found.at_most(f"at most {PROJECT_LIMIT} concurrent runs of a project", many.max_active, PROJECT_LIMIT)
    return found


def p50_and_max(times: list[float]) -> str:
    return f"{1000 * median(times):.0f}, {1000 * max(times):.0f}"
