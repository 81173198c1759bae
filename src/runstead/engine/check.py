"""The checker: reads every run in a store and reports each that breaks an invariant."""

from collections.abc import Callable
from functools import partial

from msgspec import Struct

from runstead.domain.invariants import unreleased, violations
from runstead.domain.invariants.record import LedgerPage, RunRecord, Violation
from runstead.domain.invariants.steps_and_messages import count_deleted_messages
from runstead.store.port import Store, Tx

__all__ = ["Examined", "examine"]


class Examined(Struct):
    """How many rows were read, and how many violations were found."""

    runs: int = 0
    active: int = 0
    """Of the runs, those that have not ended."""
    to_recover: int = 0
    """Of the runs, those whose owner is not a live worker."""
    steps: int = 0
    messages: int = 0
    """Only messages that runs wrote."""
    deleted: int = 0
    """Messages that runs wrote and that were deleted afterwards."""
    events: int = 0
    violations: int = 0


async def examine(
    store: Store, found: Callable[[Violation], object], *, alone: bool = False, drained: bool = False, part: int = 200
) -> Examined:
    """Read all runs with their steps, messages and events, and call `found` with each violation.

    The store may be in use: `part` runs are read in one short transaction, and only those are in memory. With `alone`
    no worker uses the store, so every owner counts as dead. With `drained` all workers have stopped and released their
    runs, so a run that is still executing is a violation.
    """
    examined = Examined()
    after: str | None = ""
    while after is not None:
        page = await store.read(partial(_page, after, part))
        after = page.last
        for violation in _violations(page, drained=drained):
            examined.violations += 1
            found(violation)
        for record in page.records:
            _count(examined, record, alone=alone)
    return examined


async def _page(after: str, limit: int, tx: Tx) -> LedgerPage:
    return await tx.ledger.page(after, limit)


def _violations(page: LedgerPage, *, drained: bool) -> list[Violation]:
    found = [*page.violations]
    found += [violation for record in page.records for violation in violations(record)]
    if drained:
        found += [violation for record in page.records if (violation := unreleased(record)) is not None]
    return found


def _count(examined: Examined, record: RunRecord, *, alone: bool) -> None:
    examined.runs += 1
    examined.active += not record.run.status.terminal
    examined.to_recover += record.owner is not None and (alone or not record.owner_alive)
    examined.steps += len(record.steps)
    examined.messages += len(record.messages)
    examined.deleted += count_deleted_messages(record)
    examined.events += len(record.events)
