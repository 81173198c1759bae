"""The events that wait for slow subscribers of this process: a total of bytes."""

from collections.abc import Sequence

from runstead.wire.event import RawEvent

__all__ = ["Backlog", "size_of"]

_EVENT = 200
"""Bytes that an event takes besides its data, about."""


class Backlog:
    """At most `total` bytes of events, over all subscribers. A subscriber whose events do not fit reads the store."""

    def __init__(self, total: int = 64 * 2**20) -> None:
        self._total = total
        self.held = 0
        """The bytes of the events that wait."""

    def take(self, size: int) -> bool:
        """Count `size` more bytes, if they fit."""
        if self.held + size > self._total:
            return False
        self.held += size
        return True

    def give_back(self, size: int) -> None:
        """Subtract bytes that were sent or dropped."""
        self.held -= size


def size_of(events: Sequence[RawEvent]) -> int:
    """The bytes that these events take, about."""
    return sum(len(event.data) for event in events) + _EVENT * len(events)
