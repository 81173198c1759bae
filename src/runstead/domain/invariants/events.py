"""Invariants of a run's stored events."""

from collections.abc import Iterator
from itertools import pairwise

from runstead.domain.invariants.record import RunRecord, differences
from runstead.domain.run.lifecycle import TRANSITIONS
from runstead.wire.event import Event, EventName
from runstead.wire.run import Run

__all__ = ["are_numbered_without_gaps", "begin_and_end_once", "follow_the_lifecycle", "match_the_run"]


def are_numbered_without_gaps(record: RunRecord) -> Iterator[str]:
    """A run's events are numbered from 1 without a gap, and its row has the number of the last one."""
    last = 0
    for batch in record.event_batches:
        if batch.first != last + 1:
            yield f"event {batch.first} follows event {last}"
        if batch.last != batch.first + len(batch.events) - 1:
            yield f"a row has {len(batch.events)} events, but is numbered {batch.first} to {batch.last}"
        last = batch.last
    if last != record.last_event:
        yield f"the last event is {last}, but the run's row says {record.last_event}"


def begin_and_end_once(record: RunRecord) -> Iterator[str]:
    """A run's events begin with its creation, which occurs once; it ends at most once, and no event follows its end."""
    events = record.events
    names = [str(event.event) for event in events]
    first = names[1:] if names[:1] == [EventName.THREAD_CREATED] else names
    if first[:2] != [EventName.RUN_CREATED, EventName.RUN_QUEUED] or names.count(EventName.RUN_CREATED) > 1:
        yield f"the events begin with {', '.join(names[:3]) or 'nothing'}"
    ends = [index for index, event in enumerate(events) if _is_terminal(event)]
    if len(ends) > 1:
        yield f"the run ended {len(ends)} times: {', '.join(names[index] for index in ends)}"
    if ends and ends[-1] != len(events) - 1:
        yield f"{names[-1]} follows {names[ends[-1]]}"


def follow_the_lifecycle(record: RunRecord) -> Iterator[str]:
    """A run's status changes only as the lifecycle table allows, and each event shows the status in its name."""
    published: list[Run] = []
    for event in record.events:
        if isinstance(event.data, Run) and event.event != EventName.RUN_CREATED:
            published.append(event.data)
            if event.event != f"thread.run.{event.data.status}":
                yield f"{event.event} shows a run that is {event.data.status}"
    for before, after in pairwise(published):
        if after.status not in TRANSITIONS[before.status].values():
            yield f"the run went from {before.status} to {after.status}"


def match_the_run(record: RunRecord) -> Iterator[str]:
    """A run equals what its last event shows, except for its metadata."""
    published = record.last_published(Run).get(record.run.id)
    if published is None:
        yield "no event shows the run"
    elif published.status is not record.run.status:
        yield f"the run is {record.run.status}, but its last event shows {published.status}"
    elif fields := differences(published, record.run):
        yield f"the run and its last event differ in {fields}"


def _is_terminal(event: Event) -> bool:
    return isinstance(event.data, Run) and event.data.status.terminal
