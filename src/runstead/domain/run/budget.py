"""How much is left of a run's budgets, each of which is a total over all model calls. For time see `deadline`."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

from runstead.domain.run.journal import StepRow
from runstead.wire.run import Run, Usage
from runstead.wire.struct import UNSET

__all__ = [
    "LONGEST_ANSWER",
    "Allowance",
    "CountedBudget",
    "allowance",
    "completion_left",
    "counts_prompts",
    "prompt_left",
    "total_left",
]

CountedBudget: TypeAlias = Literal["max_completion_tokens", "max_prompt_tokens", "max_total_tokens", "max_tool_calls"]
"""The budgets that model calls use up; `max_seconds` is used up by time."""

LONGEST_ANSWER = 16_384
"""Tokens, at most, of an answer of unknown length: models hardly ever write more at once."""


class Allowance(Struct, frozen=True, kw_only=True):
    """The limits of the next model call."""

    tokens: int | None = None
    """Tokens that it may write; None without a limit."""
    limit: Literal["max_completion_tokens", "max_total_tokens"] = "max_completion_tokens"
    """The budget that is used up if the answer reaches `tokens`."""
    calls: int | None = None
    """Calls of tools that it may ask for; None without a limit."""


def allowance(run: Run, steps: Sequence[StepRow], asked: int, window: int | None) -> Allowance:
    """The limits of the next call, with a prompt of `asked` tokens and a model of this `window`."""
    tokens, calls, total = completion_left(run, steps), _calls_left(run, steps), total_left(run, steps)
    if total is not None:
        total -= asked
        # Servers refuse a limit that the model cannot reach, so one is set only where it may bite.
        reached = LONGEST_ANSWER if window is None else min(window - asked, LONGEST_ANSWER)
        if total < (reached if tokens is None else tokens):
            return Allowance(tokens=total, limit="max_total_tokens", calls=calls)
    return Allowance(tokens=tokens, calls=calls)


def counts_prompts(run: Run) -> bool:
    """Whether a budget depends on the size of prompts; else it need not be estimated."""
    return run.max_prompt_tokens is not None or run.max_total_tokens is not UNSET


def prompt_left(run: Run, steps: Iterable[StepRow]) -> int | None:
    """How many prompt tokens the run may still take; None without a limit. Below zero if a call took too many."""
    if run.max_prompt_tokens is None:
        return None
    return run.max_prompt_tokens - sum(used.prompt_tokens for used in _usages(steps))


def completion_left(run: Run, steps: Iterable[StepRow]) -> int | None:
    """How many tokens the run may still write; None without a limit. Below zero if a call wrote too many."""
    if run.max_completion_tokens is None:
        return None
    return run.max_completion_tokens - sum(used.completion_tokens for used in _usages(steps))


def total_left(run: Run, steps: Iterable[StepRow]) -> int | None:
    """How many tokens the run may still take and write together; None without a limit. May be below zero."""
    if run.max_total_tokens is UNSET:
        return None
    return run.max_total_tokens - sum(used.prompt_tokens + used.completion_tokens for used in _usages(steps))


def _usages(steps: Iterable[StepRow]) -> Iterator[Usage]:
    return (row.step.usage for row in steps if row.step.usage is not None)


def _calls_left(run: Run, steps: Iterable[StepRow]) -> int | None:
    """How many tool calls the run may still ask for, of the client's and the server's tools together. Calls of steps
    that did not complete are not counted.
    """
    if run.max_tool_calls is UNSET:
        return None
    return run.max_tool_calls - sum(len(row.calls) for row in steps if row.step.status == "completed")
