"""The wait of a run for the files of its thread's vector stores, which are often attached just before the run."""

from collections.abc import Sequence
from typing import Protocol

from runstead.store.port import Store

__all__ = ["MAX_WAIT", "Clock", "Place", "wait_for_files"]

MAX_WAIT = 60
"""Seconds that a run waits, as long as the original service did."""
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0


class Clock(Protocol):
    """A clock that can be waited on."""

    async def sleep(self, seconds: float) -> None: ...


class Place(Protocol):
    """The adapters that the wait needs."""

    @property
    def store(self) -> Store: ...
    @property
    def clock(self) -> Clock: ...


async def wait_for_files(place: Place, project: str, store_ids: Sequence[str]) -> bool:
    """Wait until no file of these stores is in progress. False if some still are after `MAX_WAIT` seconds.

    Cancelling it has no effects.
    """
    waited, pause = 0.0, _FIRST_PAUSE
    while await place.store.read(lambda tx: tx.store_files.count_in_progress(project, store_ids)):
        if waited >= MAX_WAIT:
            return False
        await place.clock.sleep(pause)
        waited += pause
        pause = min(2 * pause, _LONGEST_PAUSE)
    return True
