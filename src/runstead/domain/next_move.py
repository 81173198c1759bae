"""What a run does next: before a model call, and after one."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

from runstead.domain import truncation
from runstead.domain.budget import completion_left, prompt_left
from runstead.domain.chat import FinishReason
from runstead.wire.message import Message
from runstead.wire.run import Run, Usage
from runstead.wire.run_step import RunStep
from runstead.wire.tool import RequiredFunctionCall

__all__ = ["AskClient", "Filtered", "Finish", "Move", "OutOfBudget", "Reply", "before_call", "next_move"]


class Reply(Struct, frozen=True, kw_only=True):
    """A finished model turn."""

    calls: Sequence[RequiredFunctionCall] = ()
    finish: FinishReason = "stop"
    usage: Usage = Usage()


class Finish(Struct, frozen=True):
    """The answer is written: the run is completed."""


class AskClient(Struct, frozen=True):
    """The client runs these functions, and the run waits for their outputs."""

    calls: Sequence[RequiredFunctionCall]


class OutOfBudget(Struct, frozen=True):
    """A token budget is used up: the run is incomplete."""

    reason: Literal["max_completion_tokens", "max_prompt_tokens"]


class Filtered(Struct, frozen=True):
    """The model's server held the rest of the answer back."""


Move: TypeAlias = Finish | AskClient | OutOfBudget | Filtered


def before_call(
    run: Run, steps: Sequence[RunStep], written: Mapping[str, Message], history: int = 1
) -> OutOfBudget | None:
    """Why the next model call may not be made, if a budget forbids it.

    What the call takes must fit the prompt's budget with the `history` that it needs, in tokens: there is nothing to
    ask without the newest message. One token must be left to write.
    """
    left = completion_left(run, steps)
    if left is not None and left <= 0:
        return OutOfBudget("max_completion_tokens")
    left = prompt_left(run, steps)
    if left is not None and left < truncation.fixed(run, steps, written) + history:
        return OutOfBudget("max_prompt_tokens")
    return None


def next_move(reply: Reply) -> Move:
    """What follows a model turn. A turn that was cut short asks the client nothing: its calls may be cut too."""
    match reply:
        case Reply(finish="length"):
            return OutOfBudget("max_completion_tokens")
        case Reply(finish="content_filter"):
            return Filtered()
        case Reply(calls=calls) if calls:
            return AskClient(calls)
        case _:
            return Finish()
