"""Invariants of the order of a thread and of a run's journal: a position in a list, which no clock decides."""

from collections.abc import Iterator, Sequence

from runstead.domain.invariants.record import RunRecord
from runstead.wire.message import Message
from runstead.wire.run_step import RunStep

__all__ = ["keeps_messages_of_a_run_together", "matches_the_events"]


def matches_the_events(record: RunRecord) -> Iterator[str]:
    """A run's steps, and its messages, have the order in which its events report them, whatever their times say."""
    steps = [row.id for row in record.steps]
    messages = [message.id for message in record.messages]
    yield from _misplaced("step", steps, list(record.last_published(RunStep)))
    yield from _misplaced("message", messages, list(record.last_published(Message)))


def keeps_messages_of_a_run_together(record: RunRecord) -> Iterator[str]:
    """In a thread, no message of another writer stands between two messages of a run."""
    if record.message_between is not None:
        yield f"message {record.message_between} stands between two messages of the run, which did not write it"


def _misplaced(kind: str, stored: Sequence[str], published: Sequence[str]) -> Iterator[str]:
    """The first object that stands elsewhere than its first event says. Those that only one side has do not count."""
    both = set(stored) & set(published)
    expected = [id for id in published if id in both]
    for here, there in zip([id for id in stored if id in both], expected, strict=True):
        if here != there:
            yield f"{kind} {here} stands where {kind} {there} was created"
            return
