"""When a run must stop: because it was cancelled, or because its time is up."""

from runstead.domain.run.lifecycle import Signal
from runstead.wire.run import Run, Status
from runstead.wire.struct import UNSET

__all__ = ["deadline", "stop_signal"]


def deadline(run: Run) -> int | None:
    """When the run's time is up: when it expires, or its budget of seconds is used up, whichever is first."""
    budget = _budget_end(run)
    if budget is None or run.expires_at is None:
        return run.expires_at if budget is None else budget
    return min(budget, run.expires_at)


def stop_signal(run: Run, now: int) -> Signal | None:
    """The signal that a run that has not ended must get, whatever it is doing; None while it may go on.

    A run that is cancelling ends as cancelled, even if its time is up. A run whose time is up ends as incomplete if
    its budget of seconds ended before or with its expiry, and as expired otherwise.
    """
    if run.status is Status.CANCELLING:
        return Signal.STOP
    end = deadline(run)
    if end is None or now < end:
        return None
    return Signal.RUN_OUT if end == _budget_end(run) else Signal.EXPIRE


def _budget_end(run: Run) -> int | None:
    return None if run.max_seconds is UNSET else run.created_at + run.max_seconds
