"""A change: everything that one thing that happens to a run writes and reports, to be committed together."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from runstead.domain.run.journal import StepRow
from runstead.wire.event import START, EventName, RawEvent
from runstead.wire.message import Message
from runstead.wire.run import Run
from runstead.wire.struct import Object

__all__ = ["Change", "event", "run_event"]

_encode = msgspec.json.Encoder().encode


class Change(Struct, frozen=True, kw_only=True):
    """The run after it, the rows that are new or written again, and the events that report it, in order."""

    run: Run
    new_messages: Sequence[Message] = ()
    messages: Sequence[Message] = ()
    new_steps: Sequence[StepRow] = ()
    steps: Sequence[StepRow] = ()
    events: Sequence[RawEvent] = ()
    ready_at: int = 0
    """The time before which no worker claims the run."""


def event(name: EventName, data: Object) -> RawEvent:
    """An event about `data`, not numbered yet: the store numbers it when it commits."""
    return RawEvent(START, name, _encode(data))


def run_event(run: Run) -> RawEvent:
    """The event that reports a run's new status."""
    return event(EventName(f"thread.run.{run.status}"), run)
