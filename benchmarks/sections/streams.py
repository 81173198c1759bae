"""How soon does the first token come, and how fast do 2,000 of them pass through?"""

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from statistics import median

from benchmarks.load import Connection, Reply, connections
from benchmarks.plan import Plan
from benchmarks.report import Findings
from benchmarks.targets import SHORT, Target, stage

TOKENS = 2000
TOGETHER = 16
FEW, ONE_BY_ONE, BURST = f"tokens-{SHORT}", f"tokens-{TOKENS}", f"burst-{TOKENS}"


@dataclass(frozen=True)
class Turn:
    """What one target did in one round."""

    first: float
    """Seconds to the first token of a short stream: in a long one, three busy processes fight for the processors."""
    alone: float
    """Tokens a second, from the request to the end of the answer."""
    together: float
    """The same over all streams read at once."""
    burst: float
    """One stream alone, of a model that writes many tokens at once."""
    characters: int


async def measure(plan: Plan) -> Findings:
    turns: dict[str, list[Turn]] = defaultdict(list)
    async with stage(plan.disk / "streams") as on:
        for target in on.all:
            await take_turn(target, 2)
        for _ in range(plan.rounds):
            for target in on.all:
                turns[target.name].append(await take_turn(target, plan.streams))
    return _findings(turns)


async def take_turn(target: Target, count: int) -> Turn:
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
    characters = sum(target.check(reply, SHORT) for reply in short)
    characters += sum(target.check(reply, TOKENS) for reply in alone + burst + together)
    return Turn(
        first=median(reply.first - reply.sent for reply in short),
        alone=median(TOKENS / (reply.ended - reply.sent) for reply in alone),
        burst=median(TOKENS / (reply.ended - reply.sent) for reply in burst),
        together=TOKENS * TOGETHER / (max(r.ended for r in together) - min(r.sent for r in together)),
        characters=characters,
    )


async def one_after_another(target: Target, connection: Connection, model: str, count: int) -> list[Reply]:
    return [await target.stream(connection, await target.prepare(connection), model) for _ in range(count)]


def _findings(turns: dict[str, list[Turn]]) -> Findings:
    def of(name: str, figure: str) -> float:
        return float(median(getattr(turn, figure) for turn in turns[name]))

    found = Findings(
        f"A stream of {TOKENS:,} tokens; tokens/s from the request to the end of the answer",
        ("", "first token ms", "over direct", "tokens/s", f"{TOGETHER} streams", "in bursts", "characters, all there"),
        note="In bursts the model writes 64 tokens at once, which the floor passes on unread.",
    )
    over = {name: 1000 * (of(name, "first") - of("direct", "first")) for name in turns}
    for name, of_name in turns.items():
        speeds = [of(name, figure) for figure in ("alone", "together", "burst")]
        found.row(name, 1000 * of(name, "first"), over[name], *speeds, sum(turn.characters for turn in of_name))
    shares = {
        figure: of("runstead", figure) / of("floor", figure) for figure in ("first", "alone", "together", "burst")
    }
    found.row("runstead / floor", shares["first"], "", shares["alone"], shares["together"], shares["burst"])
    found.at_most("first token at most 3 ms over direct", over["runstead"], 3, " ms")
    found.at_least("one stream: at least half the floor's tokens/s", shares["alone"], 0.5)
    found.at_least(f"{TOGETHER} streams: at least half the floor's tokens/s", shares["together"], 0.5)
    return found
