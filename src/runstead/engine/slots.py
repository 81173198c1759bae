"""A worker's slots: a run that this process makes ready is claimed by the commit that makes it ready.

A slot is reserved before the write, the write names its owner, and the written row is handed over. That spares the run
an offer over the broker and a second commit.
"""

from typing import Protocol

from runstead.store.port import RunRow

__all__ = ["Slot", "Slots"]


class Slot(Protocol):
    """Room for one run. It ends with exactly one call of `hand_over` or `release`."""

    @property
    def owner(self) -> str:
        """The name to write as the run's owner."""
        ...

    def hand_over(self, row: RunRow) -> None:
        """Execute the run if it was written with this owner; give the slot back if it was not."""
        ...

    def release(self, *, unsure: bool = False) -> None:
        """Give the slot back. `unsure`: the run may have been written all the same; the worker looks for it."""
        ...


class Slots(Protocol):
    """Where slots come from: the worker of this process."""

    def reserve(self) -> Slot | None:
        """A slot, or None while the worker is full, is stopping, or must first claim runs that have waited longer."""
        ...
