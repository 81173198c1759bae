"""What is left of a run's token budgets: both are totals over all of its model calls."""

from collections.abc import Iterable

from runstead.wire.run import Run
from runstead.wire.run_step import RunStep

__all__ = ["completion_left", "prompt_left"]


def prompt_left(run: Run, steps: Iterable[RunStep]) -> int | None:
    """How many prompt tokens the run may still take; None without a limit. Below zero if a call took too many."""
    if run.max_prompt_tokens is None:
        return None
    return run.max_prompt_tokens - sum(step.usage.prompt_tokens for step in steps if step.usage)


def completion_left(run: Run, steps: Iterable[RunStep]) -> int | None:
    """How many tokens the run may still write; None without a limit. Below zero if a call wrote too many."""
    if run.max_completion_tokens is None:
        return None
    return run.max_completion_tokens - sum(step.usage.completion_tokens for step in steps if step.usage)
