"""Adding up tokens."""

from collections.abc import Iterable

from runstead.domain.run.journal import StepRow, fold
from runstead.wire.run import CompletionTokensDetails, PromptTokensDetails, Usage

__all__ = ["NONE", "add", "total"]

NONE = Usage()


def add(one: Usage, other: Usage) -> Usage:
    """The sum of two."""
    return Usage(
        prompt_tokens=one.prompt_tokens + other.prompt_tokens,
        completion_tokens=one.completion_tokens + other.completion_tokens,
        total_tokens=one.total_tokens + other.total_tokens,
        prompt_token_details=PromptTokensDetails(
            cached_tokens=one.prompt_token_details.cached_tokens + other.prompt_token_details.cached_tokens
        ),
        completion_tokens_details=CompletionTokensDetails(
            reasoning_tokens=one.completion_tokens_details.reasoning_tokens
            + other.completion_tokens_details.reasoning_tokens
        ),
    )


def total(steps: Iterable[StepRow]) -> Usage:
    """The usage of all steps of a run."""
    return fold(steps, "usage", NONE, _with)


def _with(spent: Usage, row: StepRow) -> Usage:
    return spent if row.step.usage is None else add(spent, row.step.usage)
