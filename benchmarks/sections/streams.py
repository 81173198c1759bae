"""How long does the first token take, and how fast is a stream of 2,000 tokens?"""

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from statistics import median

from benchmarks.load import Connection, Reply, connections
from benchmarks.plan import Plan
from benchmarks.report import Findings
from benchmarks.targets import SHORT_TOKENS, Target, start_targets

TOKENS = 2000
TOGETHER = 16
FEW, ONE_BY_ONE, BURST = f"tokens-{SHORT_TOKENS}", f"tokens-{TOKENS}", f"burst-{TOKENS}"


@dataclass(frozen=True)
class Round:
    """Measurements of one target in one round."""

    first: float
    """Seconds to the first token of a short stream; in a long one, three processes compete for the processors."""
    alone: float
    """Tokens per second of one stream, from the request to the end of the response."""
    together: float
    """Tokens per second over all concurrent streams."""
    burst: float
    """Tokens per second of one stream, if the model sends many tokens per write."""
    characters: int


async def measure(plan: Plan) -> Findings:
    rounds: dict[str, list[Round]] = defaultdict(list)
    async with start_targets(plan.disk / "streams") as targets:
        for target in targets.all:
            await measure_round(target, 2)
        for _ in range(plan.rounds):
            for target in targets.all:
                rounds[target.name].append(await measure_round(target, plan.streams))
    return _findings(rounds)


async def measure_round(target: Target, count: int) -> Round:
    async with connections(target.server.port, TOGETHER) as opened, asyncio.timeout(60):
        short, alone, burst = [
            await one_after_another(target, opened[0], model, count) for model in (FEW, ONE_BY_ONE, BURST)
        ]
        prepared = [await target.prepare(connection) for connection in opened]
        async with asyncio.TaskGroup() as group:
            reading = [
                group.create_task(target.stream(connection, thread, ONE_BY_ONE))
                for connection, thread in zip(opened, prepared, strict=True)
            ]
    together = [task.result() for task in reading]
    characters = sum(target.check(reply, SHORT_TOKENS) for reply in short)
    characters += sum(target.check(reply, TOKENS) for reply in alone + burst + together)
    return Round(
        first=median(reply.first - reply.sent for reply in short),
        alone=median(TOKENS / (reply.ended - reply.sent) for reply in alone),
        burst=median(TOKENS / (reply.ended - reply.sent) for reply in burst),
        together=TOKENS * TOGETHER / (max(r.ended for r in together) - min(r.sent for r in together)),
        characters=characters,
    )


async def one_after_another(target: Target, connection: Connection, model: str, count: int) -> list[Reply]:
    return [await target.stream(connection, await target.prepare(connection), model) for _ in range(count)]


def _findings(rounds: dict[str, list[Round]]) -> Findings:
    def of(name: str, figure: str) -> float:
        return float(median(getattr(round_, figure) for round_ in rounds[name]))

    found = Findings(
        f"A stream of {TOKENS:,} tokens; tokens/s from the request to the end of the response",
        (
            "",
            "first token ms",
            "over direct",
            "tokens/s",
            f"{TOGETHER} streams",
            "in bursts",
            "characters, all correct",
        ),
        note="In bursts the model sends 64 tokens per write, which the floor relays without parsing.",
    )
    over = {name: 1000 * (of(name, "first") - of("direct", "first")) for name in rounds}
    for name, measured in rounds.items():
        speeds = [of(name, figure) for figure in ("alone", "together", "burst")]
        found.row(name, 1000 * of(name, "first"), over[name], *speeds, sum(round_.characters for round_ in measured))
    shares = {
        figure: of("runstead", figure) / of("floor", figure) for figure in ("first", "alone", "together", "burst")
    }
    found.row("runstead / floor", shares["first"], "", shares["alone"], shares["together"], shares["burst"])
    found.at_most("first token at most 3 ms over direct", over["runstead"], 3, " ms")
    found.at_least("one stream: at least half the floor's tokens/s", shares["alone"], 0.5)
    found.at_least(f"{TOGETHER} streams: at least half the floor's tokens/s", shares["together"], 0.5)
    return found
