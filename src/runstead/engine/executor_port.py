"""What a worker in the same process offers to those who make runs ready: to take them in the same breath."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from runstead.store.port import RunRow

__all__ = ["Ready", "Taker"]

Ready = Callable[[str | None], Awaitable[RunRow]]
"""Writes a run that is ready, held by the worker of this name from then on, or by nobody; gives its row.

A run that must wait after all is held by nobody, whatever the name."""


class Taker(Protocol):
    """Spares a run that is ready the way over the broker, and one commit."""

    def take(self, run_id: str, ready: Ready) -> Awaitable[RunRow] | None:
        """Write the run with this worker as its owner, then carry it; its row once it is written.

        None when the worker takes nothing now: then nothing was written. A caller that stops waiting stops nothing.
        """
        ...
