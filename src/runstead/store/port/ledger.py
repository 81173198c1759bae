"""The port of the consistency check."""

from typing import Protocol

from runstead.domain.invariants.record import LedgerPage

__all__ = ["Ledger"]


class Ledger(Protocol):
    """Everything that is stored of the runs of all projects."""

    async def page(self, after: str, limit: int) -> LedgerPage:
        """The runs with ids above `after`, up to `limit` of them, and all that is stored up to the last one's id."""
        ...
