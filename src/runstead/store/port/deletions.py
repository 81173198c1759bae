"""The port of deletions: the contents of a deleted object are removed in parts."""

from typing import Protocol

__all__ = ["GRACE", "Deletions"]

GRACE = 60
"""Seconds for which the pending webhook deliveries of a deleted thread may still be sent. The thread's runs stay
that long too. Deliveries that are pending after that are withdrawn.
"""


class Deletions(Protocol):
    """The threads, webhooks and vector stores that were deleted, and whose rows are still to be removed.

    `Threads.delete`, `Webhooks.delete` and `VectorStores.delete` mark them. From then on only the removal finds what
    belongs to them.
    """

    async def remove(self, now: int, rows: int, size: int) -> bool:
        """Remove a part of what belongs to one of them: up to about `rows` rows and `size` bytes. A single row may be
        larger. False if there is nothing to be removed at `now`.

        A thread has messages, runs, steps, events, webhook deliveries, and recorded replies about it.
        """
        ...
