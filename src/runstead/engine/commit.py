"""The only writer of a run: one change in one transaction. Then the broker is told."""

from collections.abc import Sequence

from runstead.domain.change import Change
from runstead.store.port import RunRow, Tx
from runstead.wire.event import Position, RawEvent

__all__ = ["numbered", "write"]


async def write(tx: Tx, row: RunRow, change: Change, owner: str | None = None) -> RunRow:
    """Write a change of an existing run; `Stale` if someone moved it first. `owner` holds it from now on."""
    project = row.project
    # First of all: whoever moved the run holds it, so nobody else writes what belongs to it.
    moved = await tx.runs.move(row, change.run, change.events, owner)
    for step in change.new_steps:
        await tx.steps.insert(project, step)
    for step in change.steps:
        await tx.steps.replace(project, step)
    if change.new_messages:
        await tx.messages.insert(project, change.new_messages)
    for message in change.messages:
        await tx.messages.replace(project, message)
    return moved


def numbered(events: Sequence[RawEvent], last: int) -> list[RawEvent]:
    """The events with the positions that the store gave them, up to the `last` one."""
    first = last - len(events) + 1
    return [RawEvent(Position(first + place), event.name, event.data) for place, event in enumerate(events)]
