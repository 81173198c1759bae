"""The only writer of a run: one change in one transaction. Then the broker is told."""

from collections.abc import Sequence
from typing import NamedTuple

from runstead.domain.run.change import Change
from runstead.engine.adapters import Adapters
from runstead.engine.webhook_outbox import note
from runstead.store.port import RunRow, Tx
from runstead.wire.event import Position, RawEvent

__all__ = ["Committed", "numbered", "publish", "write"]


class Committed(NamedTuple):
    """What the broker is to be told of a run once its change is committed."""

    row: RunRow
    """The run as it is now."""
    events: Sequence[RawEvent]
    """What it told."""
    next: RunRow | None = None
    """The run whose turn it is, because this one has ended."""


async def write(tx: Tx, row: RunRow, change: Change, now: int, owner: str | None = None) -> Committed:
    """Write a change of an existing run; `Stale` if someone moved it first. `owner` holds it from now on."""
    project = row.project
    # First of all: whoever moved the run holds it, so nobody else writes what belongs to it.
    moved = await tx.runs.move(row, change.run, change.events, owner, change.ready_at)
    for step in change.new_steps:
        await tx.steps.insert(project, step)
    for step in change.steps:
        await tx.steps.replace(project, step)
    if change.new_messages:
        await tx.messages.insert(project, change.new_messages)
    for message in change.messages:
        await tx.messages.replace(project, message)
    await note(tx, moved, change.events, now)
    after = await _release(tx, moved) if change.run.status.terminal else None
    return Committed(moved, change.events, after)


async def _release(tx: Tx, ended: RunRow) -> RunRow | None:
    """Let go what waited for the end of a run; the run whose turn it is now."""
    if not await tx.runs.has_waiting(ended.run.id):
        return None
    after = await tx.runs.promote_next(ended)
    await tx.messages.promote_waiting(ended)
    return after


async def publish(adapters: Adapters, written: Committed) -> None:
    """Publish what is committed: the events, the offer of the run that is next, and the end, for metrics."""
    row = written.row
    await adapters.broker.publish(row.run.id, numbered(written.events, row.seq))
    if written.next is not None:
        await adapters.broker.offer(written.next.run.id)
    if row.run.status.terminal and written.events:
        adapters.observer.run_ended(row)


def numbered(events: Sequence[RawEvent], last: int) -> list[RawEvent]:
    """The events with the positions that the store gave them, up to the `last` one."""
    first = last - len(events) + 1
    return [RawEvent(Position(first + place), event.name, event.data) for place, event in enumerate(events)]
