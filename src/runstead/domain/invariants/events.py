"""What a run has told of itself."""

from collections.abc import Iterator
from itertools import pairwise

from runstead.domain.invariants.record import Record
from runstead.domain.invariants.states import differences
from runstead.domain.run.lifecycle import TRANSITIONS
from runstead.wire.event import Event, EventName
from runstead.wire.run import Run

__all__ = ["are_numbered", "begin_and_end", "follow_the_table", "tell_what_is"]


def are_numbered(record: Record) -> Iterator[str]:
    """Its events are numbered from 1 on, without a hole, and it knows the number of the last."""
    at = 0
    for batch in record.told:
        if batch.first != at + 1:
            yield f"event {batch.first} follows event {at}"
        if batch.last != batch.first + len(batch.events) - 1:
            yield f"the events {batch.first} to {batch.last} are {len(batch.events)}"
        at = batch.last
    if at != record.last_event:
        yield f"its last event is {at}, and it says {record.last_event}"


def begin_and_end(record: Record) -> Iterator[str]:
    """It is created once, before all else that is told of it; it ends at most once, and then nothing more is told."""
    events = record.history
    names = [str(event.event) for event in events]
    first = names[1:] if names[:1] == [EventName.THREAD_CREATED] else names
    if first[:2] != [EventName.RUN_CREATED, EventName.RUN_QUEUED] or names.count(EventName.RUN_CREATED) > 1:
        yield f"its events begin with {', '.join(names[:3]) or 'nothing'}"
    ends = [place for place, event in enumerate(events) if _ends(event)]
    if len(ends) > 1:
        yield f"it has ended {len(ends)} times: {', '.join(names[place] for place in ends)}"
    if ends and ends[-1] != len(events) - 1:
        yield f"after {names[ends[-1]]} it told {names[-1]}"


def follow_the_table(record: Record) -> Iterator[str]:
    """Its status went only where the table of a run's life leads, and each event shows what its name says."""
    shown: list[Run] = []
    for event in record.history:
        if isinstance(event.data, Run) and event.event != EventName.RUN_CREATED:
            shown.append(event.data)
            if event.event != f"thread.run.{event.data.status}":
                yield f"{event.event} shows a run that is {event.data.status}"
    for before, after in pairwise(shown):
        if after.status not in TRANSITIONS[before.status].values():
            yield f"it was {before.status} and then {after.status}"


def tell_what_is(record: Record) -> Iterator[str]:
    """It is what the last event about it says, but for its metadata."""
    told = record.last_told(Run).get(record.run.id)
    if told is None:
        yield "no event tells of it"
    elif told.status is not record.run.status:
        yield f"it is {record.run.status}, and its last event says {told.status}"
    elif wrong := differences(told, record.run):
        yield f"it and its last event differ in {wrong}"


def _ends(event: Event) -> bool:
    return isinstance(event.data, Run) and event.data.status.terminal
