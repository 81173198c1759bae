"""How much processor time does Runstead's client take, compared with the official client?"""

import json
import subprocess
import sys
from collections import defaultdict
from statistics import median

from benchmarks import processes
from benchmarks.plan import Plan
from benchmarks.report import Findings

IMPORTS = {
    "official": "import openai; openai.OpenAI(base_url={url!r}, api_key='none').beta.threads.runs.retrieve",
    "runstead": "import runstead; runstead.connect({url!r}, api_key='none').get_run",
}
"""The code of a program before its first call."""
TIMED = "from time import perf_counter; started = perf_counter(); {code}; print(perf_counter() - started)"
CALLS = {"call": "get_run, sync", "async call": "get_run, async", "async calls": "get_run, async, 32 at once"}
STREAMS = {
    "events": "stream, sync, one event a chunk",
    "async events": "stream, async, one event a chunk",
    "events, coarse": "stream, sync, 32 events a chunk",
    "async events, coarse": "stream, async, 32 events a chunk",
}


async def measure(plan: Plan) -> Findings:
    figures: dict[tuple[str, str], list[float]] = defaultdict(list)
    with processes.small_server("fake_assistants") as server:
        for _ in range(plan.starts):
            for client, code in IMPORTS.items():
                figures[client, "import"].append(float(_python("-c", TIMED.format(code=code.format(url=server.url)))))
        for _ in range(plan.client_rounds):
            for client in IMPORTS:
                printed = _python("-m", "benchmarks.client_probe", client, server.url, str(plan.client_seconds))
                for name, value in json.loads(printed).items():
                    figures[client, name].append(value)
    return _findings({key: median(values) for key, values in figures.items()})


def _python(*arguments: str) -> str:
    command = [sys.executable, "-W", "ignore::DeprecationWarning", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=120, check=True)
    return done.stdout


def _findings(figures: dict[tuple[str, str], float]) -> Findings:
    found = Findings("The client, compared with the official one", ("", "official", "runstead", "times better"))
    for name, words in CALLS.items():
        official, ours = (1e6 / figures[client, name] for client in IMPORTS)
        found.row(f"{words}: CPU µs per call", official, ours, official / ours)
        found.at_least(f"{words}: at least 2.5 times less CPU", official / ours, 2.5)
    for name, words in STREAMS.items():
        official, ours = (figures[client, name] for client in IMPORTS)
        found.row(f"{words}: events per CPU second", official, ours, ours / official)
        found.at_least(f"{words}: at least 8 times more events per CPU second", ours / official, 8)
    official, ours = (1000 * figures[client, "import"] for client in IMPORTS)
    found.row("import and connect: ms", official, ours, official / ours)
    found.at_most("import: at most 1/5 of the official client's time", ours / official, 1 / 5)
    return found
