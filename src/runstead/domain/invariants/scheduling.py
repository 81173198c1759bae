"""Invariants of the columns by which a run is found, of its ownership, and of its place in the thread's queue."""

from collections.abc import Iterator

from runstead.domain.invariants.record import RunRecord
from runstead.domain.run.deadline import deadline
from runstead.wire.run import Status

__all__ = [
    "indexed_columns_match_the_run",
    "only_active_run_of_its_thread",
    "owned_only_while_executing",
    "predecessor_has_not_ended",
]

_WAITING = "waiting"


def indexed_columns_match_the_run(record: RunRecord) -> Iterator[str]:
    """A run's status column is its status, or `waiting` while it is queued; its deadline column is its deadline."""
    waits = record.predecessor is not None and record.run.status is Status.QUEUED
    status = _WAITING if waits else record.run.status
    if record.status != status:
        yield f"the run is {status}, but its status column is {record.status}"
    if record.deadline != deadline(record.run):
        yield f"the run's deadline is {deadline(record.run)}, but its column is {record.deadline}"


def owned_only_while_executing(record: RunRecord) -> Iterator[str]:
    """A run is owned by a worker while it is `in_progress` or `cancelling`, and only then."""
    status = record.run.status
    if (record.owner is None) == (status in {Status.IN_PROGRESS, Status.CANCELLING}):
        yield f"the run is {status}, but its owner is {record.owner or 'none'}"


def only_active_run_of_its_thread(record: RunRecord) -> Iterator[str]:
    """A run's thread exists, and has no other active run while this one is active."""
    if not record.has_thread:
        yield f"thread {record.run.thread_id} does not exist"
    if record.other_active_run is not None and not record.run.status.terminal and record.status != _WAITING:
        yield f"the run is active, but so is {record.other_active_run} on the same thread"


def predecessor_has_not_ended(record: RunRecord) -> Iterator[str]:
    """Queued runs and waiting messages wait for a run of the same thread that has not ended."""
    if record.predecessor is not None and not record.run.status.terminal:
        if record.predecessor_status is None:
            yield f"the run is queued behind {record.predecessor}, which is not on its thread"
        elif record.predecessor_status != _WAITING and Status(record.predecessor_status).terminal:
            yield f"the run is queued behind {record.predecessor}, which is {record.predecessor_status}"
    if record.waiting_messages and record.run.status.terminal:
        yield f"the run is {record.run.status}, but {', '.join(record.waiting_messages)} waits for its end"
