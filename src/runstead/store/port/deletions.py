"""The port of deletions: what belongs to a deleted object is removed bit by bit."""

from typing import Protocol

__all__ = ["GRACE", "Deletions"]

GRACE = 60
"""Seconds for which the pending webhook deliveries of a deleted thread may still be sent. The thread's runs stay for
them so long. Deliveries that are pending after that are withdrawn.
"""


class Deletions(Protocol):
    """The threads and webhooks that were deleted, and whose rows are still to be removed.

    What belongs to them is seen by nothing but the removal: `Threads.delete` and `Webhooks.delete` mark them.
    """

    async def remove(self, now: int, rows: int, size: int) -> bool:
        """Remove a part of what belongs to one of them: about so many rows at most, and bytes. A single row may be
        larger. False if there is nothing to be removed at `now`.

        Of a thread that is its messages, runs, steps, events and webhook deliveries, and the recorded replies about
        it.
        """
        ...
