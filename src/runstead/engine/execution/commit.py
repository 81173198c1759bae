"""Writing a change of a run in a transaction, and publishing it after the commit."""

from collections.abc import Sequence
from typing import NamedTuple

from runstead.domain.run.change import Change
from runstead.engine.adapters import Adapters
from runstead.store.port import RunRow, Tx
from runstead.wire.event import Position, RawEvent

__all__ = ["Committed", "numbered", "publish", "write"]


class Committed(NamedTuple):
    """A change of a run as it was written, to be published once it is committed."""

    row: RunRow
    """The run after the change."""
    events: Sequence[RawEvent]
    """The events of the change."""
    next: RunRow | None = None
    """The next run of the thread, which became active because this one has ended."""


async def write(tx: Tx, row: RunRow, change: Change, now: int) -> Committed:
    """Write a change of an existing run; `Stale` if another writer changed the run first."""
    applied = await tx.runs.apply(row, change, now)
    return Committed(applied.row, change.events, applied.next)


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
