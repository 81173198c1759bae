"""A run's time: until when it may go on, and what becomes of it then."""

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

    A run that was asked to stop has stopped, however late it is. One whose time is up has run out of its budget if
    that was no later than its expiry: the time that was set for this run.
    """
    if run.status is Status.CANCELLING:
        return Signal.STOP
    end = deadline(run)
    if end is None or now < end:
        return None
    return Signal.RUN_OUT if end == _budget_end(run) else Signal.EXPIRE


def _budget_end(run: Run) -> int | None:
    return None if run.max_seconds is UNSET else run.created_at + run.max_seconds
