"""How long does the server take from its start to its first `GET /health` with status 200?"""

from statistics import median

from benchmarks import processes
from benchmarks.plan import Plan
from benchmarks.report import Findings


async def measure(plan: Plan) -> Findings:
    fresh: list[float] = []
    again: list[float] = []
    with processes.small_server("fake_model") as model:
        for number in range(plan.starts):
            data = plan.disk / f"start-{number}"
            for times in (fresh, again):
                with processes.runstead(model, data) as server:
                    times.append(server.ready_after)
    found = Findings("Start: from the start of the process to the first GET /health with status 200", ("", "seconds"))
    found.row("with an empty folder", median(fresh))
    found.row("with existing data", median(again))
    found.at_most("ready at most 1 s after the start", max(median(fresh), median(again)), 1, " s")
    return found
