"""How a run is found, who holds it, and where it stands on its thread."""

from collections.abc import Iterator

from runstead.domain.invariants.record import Record
from runstead.domain.run.deadline import deadline
from runstead.wire.run import Status

__all__ = ["is_alone_on_its_thread", "is_found_as_it_is", "is_held_while_it_works", "waits_for_what_will_end"]

_WAITING = "waiting"


def is_found_as_it_is(record: Record) -> Iterator[str]:
    """It is found by its status, or as one that waits for its turn; and by its deadline."""
    waits = record.predecessor is not None and record.run.status is Status.QUEUED
    status = _WAITING if waits else record.run.status
    if record.status != status:
        yield f"it is {status}, and found as {record.status}"
    if record.deadline != deadline(record.run):
        yield f"its deadline is {deadline(record.run)}, and it is found by {record.deadline}"


def is_held_while_it_works(record: Record) -> Iterator[str]:
    """A worker holds it while it is in progress or stopping, and at no other time."""
    status = record.run.status
    if (record.owner is None) == (status in {Status.IN_PROGRESS, Status.CANCELLING}):
        yield f"it is {status}, and held by {record.owner or 'nobody'}"


def is_alone_on_its_thread(record: Record) -> Iterator[str]:
    """Its thread is there, and no other run of it is active while this one is."""
    if not record.has_thread:
        yield f"there is no thread {record.run.thread_id}"
    if record.rival is not None and not record.run.status.terminal and record.status != _WAITING:
        yield f"it is active, and so is {record.rival} on the same thread"


def waits_for_what_will_end(record: Record) -> Iterator[str]:
    """What it waits for, and what waits for it, waits for a run of the same thread that has not ended."""
    if record.predecessor is not None and not record.run.status.terminal:
        if record.ahead is None:
            yield f"it waits behind {record.predecessor}, which is not on its thread"
        elif record.ahead != _WAITING and Status(record.ahead).terminal:
            yield f"it waits behind {record.predecessor}, which is {record.ahead}"
    if record.waiting and record.run.status.terminal:
        yield f"it is {record.run.status}, and {', '.join(record.waiting)} waits for its end"
