"""The loop of one run: ask the model, write its answer down, decide what is next, until the run ends or pauses."""

import logging
import random
from typing import Literal

from runstead.domain.run import delay, transitions, usage
from runstead.domain.run.change import Change
from runstead.domain.run.lifecycle import Signal
from runstead.domain.run.next_move import AskClient, Filtered, Finish, Move, OutOfBudget, Reply, next_move
from runstead.domain.run.transitions import OpenWork
from runstead.engine.execution import context, model_turn
from runstead.engine.execution.claimed_run import ClaimedRun
from runstead.llm.port import ModelError
from runstead.wire.run import LastError, Run, Usage

__all__ = ["execute"]

_log = logging.getLogger("runstead.run")

_FILTERED = LastError(code="server_error", message="The model's server held the answer back: its content filter.")


async def execute(hold: ClaimedRun) -> None:
    """Take a claimed run as far as it goes: to its end, or to the client.

    `Interrupted` when it was cancelled or taken away meanwhile. A model that fails fails the run, with the cause; one
    that has no room for it now delays it.
    """
    try:
        ready = await context.load(hold.adapters, hold.row)
        if isinstance(ready, context.Stop):
            await hold.commit(
                lambda run: transitions.run_out(run, hold.adapters.now(), ready.spent, ready.reason), keep=False
            )
            return
        reply = await model_turn.ask(hold, ready.request)
        spent = usage.add(ready.spent, reply.usage)
        follow = next_move(reply, ready.allowed)
        await hold.commit(lambda run: _follow_up(hold, run, reply, follow, spent), keep=False)
    except ModelError as error:
        cause = LastError(code=error.code, message=error.message)
        if error.limited:
            seconds = delay.wait(error.retry_after, hold.row.delays, random.random())  # noqa: S311 - it guards nothing
            _log.warning("delayed by %d s: %s run=%s model=%s", seconds, error.message, hold.run.id, hold.run.model)
            await hold.delay(cause, hold.adapters.now() + seconds)
        else:
            _log.warning("the model failed: %s run=%s model=%s", error.message, hold.run.id, hold.run.model)
            await hold.end(lambda _: Signal.FAIL, cause)


def _follow_up(hold: ClaimedRun, run: Run, reply: Reply, follow: Move, spent: Usage) -> Change:
    """What a model turn leads to, as one change with the end of its last step."""
    now = hold.adapters.now()
    match follow:
        case AskClient(calls=calls):
            return transitions.ask_client(run, hold.opened, calls, now, reply.usage)
        case Finish():
            return transitions.combine(_close(hold, run, reply), transitions.complete(run, now, spent))
        case OutOfBudget(reason="max_tool_calls"):
            refused = transitions.refuse_calls(run, hold.opened, reply.calls, now, reply.usage)
            return transitions.combine(refused, transitions.run_out(run, now, spent, "max_tool_calls"))
        case OutOfBudget(reason=reason):
            return transitions.combine(
                _close(hold, run, reply, "max_tokens"), transitions.run_out(run, now, spent, reason)
            )
        case Filtered():
            closed = _close(hold, run, reply, "content_filter")
            return transitions.combine(closed, transitions.end(run, Signal.FAIL, OpenWork(), now, spent, _FILTERED))


def _close(
    hold: ClaimedRun, run: Run, reply: Reply, reason: Literal["max_tokens", "content_filter"] | None = None
) -> Change:
    """The turn's last step is over: its message is written, or its calls were cut before they were whole."""
    now = hold.adapters.now()
    message = hold.written
    if message is None:
        return transitions.cut_calls(run, hold.opened, now, reply.usage)
    return transitions.close_message(run, OpenWork(hold.opened.step, message), now, reply.usage, reason)
