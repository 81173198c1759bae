"""Transitions of a run as a whole, each as a `Change`: the run, its open step, and its events in order.

The changes within a turn are in `message_step` and `call_step`.
"""

from msgspec.structs import replace

from runstead.domain.run.budget import CountedBudget
from runstead.domain.run.change import Change, combine, event, run_event
from runstead.domain.run.closing import CLOSINGS, close_step, cut_message
from runstead.domain.run.delay import explained
from runstead.domain.run.journal import OpenWork, StepRow
from runstead.domain.run.lifecycle import Signal, move
from runstead.wire.event import START, EventName, RawEvent
from runstead.wire.run import IncompleteRun, LastError, Run, Status, Usage
from runstead.wire.thread import Thread

__all__ = ["cancel", "claim", "combine", "complete", "created", "delay", "end", "run_out", "stop"]

_OUT_OF_TIME = IncompleteRun(reason="max_seconds")


def created(run: Run, thread: Thread | None = None) -> Change:
    """The run was created, and its `thread` with it if one is given."""
    made = run_event(run, EventName.RUN_CREATED)
    queued = RawEvent(START, EventName.RUN_QUEUED, made.data)
    first = [] if thread is None else [event(EventName.THREAD_CREATED, thread)]
    return Change(run=run, events=[*first, made, queued])


def claim(run: Run, now: int, owner: str) -> Change:
    """The worker `owner` claims the run."""
    after = move(run, Signal.CLAIM, now)
    return Change(run=after, events=[run_event(after)], owner=owner, ready_at=0)


def complete(run: Run, now: int, usage: Usage) -> Change:
    """The run is done; `usage` is that of all its steps."""
    after = move(run, Signal.COMPLETE, now, usage=usage)
    return Change(run=after, events=[run_event(after)])


def run_out(run: Run, now: int, usage: Usage, reason: CountedBudget) -> Change:
    """A budget of tokens or calls is used up; that of time ends a run by `end`."""
    after = move(run, Signal.RUN_OUT, now, usage=usage, incomplete=IncompleteRun(reason=reason))
    return Change(run=after, events=[run_event(after)])


def cancel(run: Run, now: int) -> Change:
    """The run is asked to stop."""
    after = move(run, Signal.CANCEL, now)
    return Change(run=after, events=[run_event(after)])


def stop(run: Run, open_work: OpenWork, usage: Usage, now: int) -> Change:
    """A run without an owner has stopped in the moment it is asked to."""
    if run.status is Status.CANCELLING:
        return end(run, Signal.STOP, open_work, now, usage)
    asked = cancel(run, now)
    return combine(asked, end(asked.run, Signal.STOP, open_work, now, usage))


def delay(run: Run, open_work: OpenWork, now: int, usage: Usage, cause: LastError, until: int) -> Change:
    """The run is queued again until `until`; its `last_error` says why. Its open step is closed."""
    return replace(end(run, Signal.DELAY, open_work, now, usage, explained(cause, until)), ready_at=until)


def end(
    run: Run, signal: Signal, open_work: OpenWork, now: int, usage: Usage, error: LastError | None = None
) -> Change:
    """The work on a run is broken off: by STOP, EXPIRE, RUN_OUT (of time), FAIL, DELAY (with `error`) or RECOVER.

    The open step is closed. After DELAY the run is queued; after RECOVER too, unless it was cancelling. Complete
    tool calls of the model survive in a queued run.
    """
    after = move(run, signal, now, last_error=error, incomplete=_OUT_OF_TIME, usage=usage)
    if open_work.row is not None and open_work.row.asked and after.status is Status.QUEUED:
        change = Change(run=after, steps=[_released(open_work.row)])
    else:
        change = _closed(after, open_work, now, error)
    return combine(change, Change(run=after, events=[run_event(after)]))


def _closed(run: Run, open_work: OpenWork, now: int, error: LastError | None) -> Change:
    """Close the open step, message and calls, as the status of the run requires."""
    message_reason, step_status = CLOSINGS[run.status]
    change = Change(run=run)
    if open_work.message is not None:
        message = cut_message(open_work.message, message_reason, now)
        cut = event(EventName.MESSAGE_INCOMPLETE, message)
        change = combine(change, Change(run=run, messages=[message], events=[cut]))
    if open_work.row is not None:
        step = close_step(open_work.row.step, step_status, now, error)
        closed = event(EventName(f"thread.run.step.{step_status}"), step)
        change = combine(change, Change(run=run, steps=[replace(open_work.row, step=step)], events=[closed]))
    return change


def _released(row: StepRow) -> StepRow:
    """The step for the next worker: a call that may have begun has its attempt counted."""
    begun = [replace(call, attempts=call.attempts + 1) for call in row.unfinished if call.status == "asked"]
    return row.with_calls(begun)
