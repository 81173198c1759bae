"""The port of stored events."""

from typing import Protocol

from runstead.wire.event import RawEvent

__all__ = ["PAGE_SIZE", "Events"]

PAGE_SIZE = 512 * 1024
"""Bytes of events that are read at once, about."""


class Events(Protocol):
    """The stored events of all runs, as they are published: an event about a run has the run's state alone."""

    async def after(self, run_id: str, seq: int, limit: int, size: int = PAGE_SIZE) -> list[RawEvent]:
        """Events numbered above `seq`, in order: up to about `limit` of them, and about `size` bytes of data. Whole
        transactions, so it may be a few more; at least one, if there is one.

        A message that was deleted is shown without content.
        """
        ...
