"""The port of stored events."""

from typing import Protocol

from runstead.wire.event import RawEvent

__all__ = ["Events"]


class Events(Protocol):
    """The stored events of all runs."""

    async def after(self, run_id: str, seq: int, limit: int) -> list[RawEvent]:
        """Up to about `limit` events numbered above `seq`, in order; whole transactions, so it may be a few more."""
        ...
