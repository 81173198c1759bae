"""A change of a run: the rows and events that one transaction writes."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from runstead.domain.chosen_defaults import ChosenDefaults
from runstead.domain.run.journal import StepRow
from runstead.wire.codec.run_parts import encode_state
from runstead.wire.event import START, EventName, RawEvent
from runstead.wire.message import Message
from runstead.wire.run import Run
from runstead.wire.struct import Object

__all__ = ["Change", "combine", "event", "run_event"]

_encode = msgspec.json.Encoder().encode


class Change(Struct, frozen=True, kw_only=True):
    """The run after the change, its new and its rewritten rows, and the events that report it, in order.

    Fields and rows that a change does not name stay as they are.
    """

    run: Run
    new_messages: Sequence[Message] = ()
    messages: Sequence[Message] = ()
    new_steps: Sequence[StepRow] = ()
    steps: Sequence[StepRow] = ()
    events: Sequence[RawEvent] = ()
    owner: str | UnsetType = UNSET
    """The worker that claims the run. Once the run is neither in progress nor cancelling, it has none."""
    chosen_defaults: ChosenDefaults | UnsetType = UNSET
    """The options whose default was chosen. A new run without it chose none."""
    ready_at: int | UnsetType = UNSET
    """The time before which no worker claims the run. A time above 0 is a delay, and is counted."""


def combine(first: Change, second: Change) -> Change:
    """Two changes as one; the second was decided on the first one's run."""
    return Change(**{name: _both(getattr(first, name), getattr(second, name)) for name in Change.__struct_fields__})


def _both(first: Any, second: Any) -> Any:
    """All rows and events of both; of any other field the last value."""
    if isinstance(second, list | tuple):
        return [*first, *second]
    return first if second is UNSET else second


def event(name: EventName, data: Object) -> RawEvent:
    """An event about `data`, not numbered yet: the store numbers it when it commits."""
    return RawEvent(START, name, _encode(data))


def run_event(run: Run, name: EventName | None = None) -> RawEvent:
    """The event that reports a run's new status, or another one about the run. Its data is the run's state alone: the
    settings are put in when the event is read.
    """
    return RawEvent(START, name or EventName(f"thread.run.{run.status}"), encode_state(run))
