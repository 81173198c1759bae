"""A run with long instructions, many tools and many tool rounds, made as a client makes it."""

import random
import string
from collections.abc import Sequence
from itertools import count

from runstead.domain.idempotency import with_key
from runstead.engine.resources.project import Project
from runstead.llm.scripted import Turn, call
from runstead.wire.idempotency import retry_key
from runstead.wire.run import Run, RunRequest
from runstead.wire.tool import Function, FunctionTool, Tool
from tests.support.worlds import World

__all__ = ["ROUNDS", "large_assistant", "large_run", "noise", "tool_rounds"]

ROUNDS = 10

_numbers = count()


def noise(size: int, seed: int = 0) -> str:
    """Text that hardly can be compressed."""
    return "".join(random.Random(seed).choices(string.ascii_letters + string.digits, k=size))


def tool_rounds(runs: int = 1, rounds: int = ROUNDS) -> Sequence[Turn]:
    """The turns of so many runs: rounds of one call each, and an answer."""
    return [*[[call("tool_1", city="Rome")] for _ in range(rounds)], "It is sunny."] * runs


async def large_assistant(here: World) -> str:
    """The id of an assistant with 64 KiB of instructions and 20 tools of 1 KiB each."""
    tools: list[Tool] = [
        FunctionTool(function=Function(name=f"tool_{n}", description=noise(1024, n))) for n in range(20)
    ]
    return await here.assistant(tools, instructions=noise(64 * 1024))


async def large_run(here: World, assistant_id: str) -> Run:
    """A run of that assistant at its end; every request has a key for its retries."""
    thread_id = await here.thread("How is the weather?")
    run = await here.ended(await _once(here).create_run(thread_id, RunRequest(assistant_id=assistant_id)))
    while run.status == "requires_action":
        await _once(here).submit_tool_output(thread_id, run.id, here.outputs(run))
        run = await here.ended(run)
    return run


def _once(here: World) -> Project:
    return here.project.once(with_key(retry_key(b"%016d" % next(_numbers)), b""))
