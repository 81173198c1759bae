"""The loop of one run: ask the model, run its tools, ask again, until the run ends or pauses."""

import logging
import random
from typing import Literal

from runstead.domain.run import call_step, delay, message_step, transitions, usage
from runstead.domain.run.budget import CountedBudget
from runstead.domain.run.change import Change
from runstead.domain.run.journal import OpenWork
from runstead.domain.run.lifecycle import Signal
from runstead.domain.run.next_move import (
    MAX_REFUSED_TURNS,
    AskClient,
    Filtered,
    Finish,
    Move,
    OutOfBudget,
    Reply,
    RunTools,
    UnknownFunction,
    next_move,
)
from runstead.engine.execution import context, model_turn, tool_turn
from runstead.engine.execution.claimed_run import ClaimedRun
from runstead.engine.execution.context import AskModel
from runstead.engine.execution.toolbox import Toolbox
from runstead.llm.port import ModelError
from runstead.wire.control_characters import escape_control
from runstead.wire.run import LastError, Run

__all__ = ["execute"]

_log = logging.getLogger("runstead.run")

_UNKNOWN_FUNCTION = f"The model called functions that it was not offered in {MAX_REFUSED_TURNS} turns, at last '{{}}'."
_FILTERED = LastError(code="server_error", message="The model's server held the answer back: its content filter.")


async def execute(claimed: ClaimedRun) -> None:
    """Execute a claimed run until it ends, requires action of the client, or is delayed.

    `Interrupted` if the run was cancelled or recovered meanwhile. A model error fails the run, with the cause. A
    rate limit of the model's server delays it.
    """
    tools = Toolbox(claimed.adapters.tools, claimed.run)
    try:
        while claimed.in_progress:
            match await context.load(claimed, tools):
                case AskModel(request=request, allowed=allowed):
                    steps = claimed.journal.rows
                    reply = await model_turn.ask(claimed, request, tools)
                    await _follow_up(claimed, reply, next_move(reply, allowed, steps))
                case RunTools():
                    await tool_turn.run_calls(claimed, tools)
                case OutOfBudget(reason=reason):
                    await _run_out(claimed, reason)
    except ModelError as error:
        await _model_failed(claimed, error)


async def _follow_up(claimed: ClaimedRun, reply: Reply, move: Move) -> None:
    await claimed.commit(lambda run: _after_turn(claimed, run, reply, move))


async def _run_out(claimed: ClaimedRun, reason: CountedBudget) -> None:
    spent = claimed.journal.spent
    await claimed.commit(lambda run: transitions.run_out(run, claimed.adapters.now(), spent, reason))


async def _model_failed(claimed: ClaimedRun, error: ModelError) -> None:
    run, cause = claimed.run, LastError(code=error.code, message=escape_control(error.message, keep="\n\t"))
    if error.rate_limited:
        seconds = delay.wait(error.retry_after, claimed.row.delays, random.random())  # noqa: S311 - it guards nothing
        log = _log.debug if error.logged else _log.warning
        log("delayed by %d s: %s run=%s model=%s", seconds, error.message, run.id, run.model)
        await claimed.delay(cause, claimed.adapters.now() + seconds)
    else:
        _log.warning("the model failed: %s run=%s model=%s", error.message, run.id, run.model)
        await claimed.end(lambda _: Signal.FAIL, cause)


def _after_turn(claimed: ClaimedRun, run: Run, reply: Reply, move: Move) -> Change:
    """The result of a model turn, as one change with the end of its steps."""
    change = _ended_turn(claimed, run, reply, move)
    if reply.written is None:
        return change
    return transitions.combine(message_step.write_message(run, reply.written, claimed.adapters.now()), change)


def _ended_turn(claimed: ClaimedRun, run: Run, reply: Reply, move: Move) -> Change:
    now, open_work = claimed.adapters.now(), claimed.open_work
    if isinstance(move, RunTools | AskClient):
        return call_step.ask(run, open_work, reply, now)
    spent = usage.add(claimed.journal.spent, reply.usage)
    match move:
        case Finish():
            closed = _close(run, open_work, reply, now)
            return transitions.combine(closed, transitions.complete(run, now, spent))
        case OutOfBudget(reason="max_tool_calls"):
            refused = call_step.refuse_calls(run, open_work, reply, now)
            return transitions.combine(refused, transitions.run_out(run, now, spent, "max_tool_calls"))
        case OutOfBudget(reason=reason):
            closed = _close(run, open_work, reply, now, "max_tokens")
            return transitions.combine(closed, transitions.run_out(run, now, spent, reason))
        case UnknownFunction(function=name):
            why = LastError(code="server_error", message=_UNKNOWN_FUNCTION.format(name))
            refused = call_step.refuse_calls(run, open_work, reply, now, why)
            return transitions.combine(refused, transitions.end(run, Signal.FAIL, OpenWork(), now, spent, why))
        case Filtered():
            closed = _close(run, open_work, reply, now, "content_filter")
            return transitions.combine(closed, transitions.end(run, Signal.FAIL, OpenWork(), now, spent, _FILTERED))


def _close(
    run: Run,
    open_work: OpenWork,
    reply: Reply,
    now: int,
    reason: Literal["max_tokens", "content_filter"] | None = None,
) -> Change:
    """Close the turn's last step: its message is written, or its calls were cut before they were complete."""
    if open_work.message is None:
        return call_step.cut_calls(run, open_work, now, reply.usage)
    return message_step.close_message(run, open_work, now, reply.usage, reason, reply.carried)
