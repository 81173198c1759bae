"""Everything in a store, held against what must be true of it."""

from collections.abc import Callable
from functools import partial

from msgspec import Struct

from runstead.domain.invariants import at_rest, violations
from runstead.domain.invariants.parts import deleted
from runstead.domain.invariants.record import LedgerPage, Record, Violation
from runstead.store.port import Store, Tx

__all__ = ["Examined", "examine"]


class Examined(Struct):
    """How much there was."""

    runs: int = 0
    active: int = 0
    """Of these, those that have not ended."""
    to_rescue: int = 0
    """Of these, those whose worker is gone."""
    steps: int = 0
    messages: int = 0
    """Those that runs wrote."""
    deleted: int = 0
    """Messages that runs wrote, and somebody deleted."""
    events: int = 0
    violations: int = 0


async def examine(
    store: Store, found: Callable[[Violation], object], *, alone: bool = False, drained: bool = False, part: int = 200
) -> Examined:
    """Read all runs and what belongs to them, and tell each violation that is `found`.

    So many runs as are a `part`, with all that belongs to them, fit into memory and into a short transaction: a store
    may be in use. `alone`: it is not, so whoever is named in it as a worker is gone. `drained`: all have handed back
    what they held, so no run may be at work.
    """
    examined = Examined()
    after: str | None = ""
    while after is not None:
        leaf = await store.read(partial(_leaf, after, part))
        after = leaf.last
        for violation in _judged(leaf, drained):
            examined.violations += 1
            found(violation)
        for record in leaf.records:
            _count(examined, record, alone)
    return examined


async def _leaf(after: str, limit: int, tx: Tx) -> LedgerPage:
    return await tx.ledger.page(after, limit)


def _judged(leaf: LedgerPage, drained: bool) -> list[Violation]:
    outcome = [*leaf.violations]
    outcome += [violation for record in leaf.records for violation in violations(record)]
    if drained:
        outcome += [violation for record in leaf.records if (violation := at_rest(record)) is not None]
    return outcome


def _count(examined: Examined, record: Record, alone: bool) -> None:
    examined.runs += 1
    examined.active += not record.run.status.terminal
    examined.to_rescue += record.owner is not None and (alone or not record.owner_lives)
    examined.steps += len(record.steps)
    examined.messages += len(record.messages)
    examined.deleted += deleted(record)
    examined.events += len(record.history)
