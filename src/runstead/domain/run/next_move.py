"""The next move of a run, before a model call and after one."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from msgspec import Struct

from runstead.domain.model_call import FinishReason
from runstead.domain.run.budget import Allowance, CountedBudget, completion_left, prompt_left, total_left
from runstead.domain.run.journal import Call, StepRow
from runstead.wire.content import Content
from runstead.wire.run import Run, Usage
from runstead.wire.run_step import ToolCall

__all__ = [
    "MAX_REFUSED_TURNS",
    "AskClient",
    "Filtered",
    "Finish",
    "Move",
    "OutOfBudget",
    "Reply",
    "RunTools",
    "UnknownFunction",
    "Written",
    "before_call",
    "next_move",
]


class Written(Struct, frozen=True, kw_only=True):
    """A whole message, and the ids for it and its step."""

    step_id: str
    message_id: str
    content: Content


class Reply(Struct, frozen=True, kw_only=True):
    """A finished model turn."""

    calls: Sequence[Call] = ()
    shown: Sequence[ToolCall] = ()
    """The same calls, as the step shows them."""
    finish: FinishReason = "stop"
    usage: Usage = Usage()
    written: Written | None = None
    """The message that the model wrote behind its calls."""
    carried: Any = None
    """Opaque state of the turn, for the run's next prompts."""


class Finish(Struct, frozen=True):
    """The answer is written: the run is completed."""


class RunTools(Struct, frozen=True):
    """The server runs its calls of the turn. Those that the client answers are asked for afterwards."""


class AskClient(Struct, frozen=True):
    """The client runs these functions, and the run waits for their outputs."""


class OutOfBudget(Struct, frozen=True):
    """A budget is used up: the run is incomplete."""

    reason: CountedBudget


class Filtered(Struct, frozen=True):
    """The model's server held the rest of the answer back."""


class UnknownFunction(Struct, frozen=True):
    """The model keeps calling functions that were not offered to it: the run fails."""

    function: str


Move: TypeAlias = Finish | RunTools | AskClient | OutOfBudget | Filtered | UnknownFunction

MAX_REFUSED_TURNS = 3
"""Turns in a row in which the model may call only functions that were not offered to it."""


def before_call(run: Run, steps: Sequence[StepRow], asked: int) -> OutOfBudget | None:
    """Why the next model call may not be made, if a budget forbids it.

    Its prompt takes `asked` tokens, and one token must be left to write.
    """
    left = completion_left(run, steps)
    if left is not None and left <= 0:
        return OutOfBudget("max_completion_tokens")
    left = prompt_left(run, steps)
    if left is not None and left < asked:
        return OutOfBudget("max_prompt_tokens")
    left = total_left(run, steps)
    if left is not None and left <= asked:
        return OutOfBudget("max_total_tokens")
    return None


def next_move(reply: Reply, allowed: Allowance, steps: Sequence[StepRow] = ()) -> Move:
    """The next move after a model turn within the budget `allowed`. `steps` are all earlier steps of the run.

    No call is made for a turn that was cut short, because its calls may be incomplete, or that has too many calls.
    """
    match reply:
        case Reply(finish="length"):
            return OutOfBudget(allowed.limit)
        case Reply(finish="content_filter"):
            return Filtered()
        case Reply(calls=calls) if allowed.calls is not None and len(calls) > allowed.calls:
            return OutOfBudget("max_tool_calls")
        case Reply(calls=[*_, last] as calls) if _all_refused(calls) and _refused_turns(steps) + 1 >= MAX_REFUSED_TURNS:
            return UnknownFunction(last.name)
        case Reply(calls=calls) if not all(call.for_client for call in calls):
            return RunTools()
        case Reply(calls=calls) if calls:
            return AskClient()
        case _:
            return Finish()


def _all_refused(calls: Sequence[Call]) -> bool:
    return all(call.for_client and call.ended for call in calls)


def _refused_turns(steps: Sequence[StepRow]) -> int:
    """The number of turns with calls, counted back from the last one, that called only functions not offered."""
    turns = [row.refused for row in steps if row.calls]
    return next((count for count, refused in enumerate(reversed(turns)) if not refused), len(turns))
