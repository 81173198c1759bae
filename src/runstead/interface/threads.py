"""The interface of threads."""

from typing import Protocol

from runstead.interface.page import PageOf
from runstead.wire.struct import SortOrder
from runstead.wire.thread import Thread, ThreadDeleted, ThreadId, ThreadRequest, ThreadUpdate

__all__ = ["Threads"]


class Threads(Protocol):
    """Threads: conversations, with their messages and runs.

    An unknown id raises `NotFound`, an id of another kind `BadRequest`.
    """

    async def create_thread(self, request: ThreadRequest | None = None) -> Thread:
        """Create a thread with its first messages, if any, in one transaction."""
        ...

    async def get_thread(self, thread_id: ThreadId) -> Thread:
        """Return a thread, without its messages."""
        ...

    async def update_thread(self, thread_id: ThreadId, request: ThreadUpdate) -> Thread:
        """Update a thread.

        Absent fields keep their value; `None` clears a field. Allowed while a run is active.
        """
        ...

    async def delete_thread(self, thread_id: ThreadId) -> ThreadDeleted:
        """Delete a thread with its messages, runs and steps.

        Runs that have not ended are cancelled, and their streams end with `thread.run.cancelled`.
        """
        ...

    async def threads(
        self,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: ThreadId | None = None,
        before: ThreadId | None = None,
    ) -> PageOf[Thread]:
        """List the threads, newest first by default. The original API has no such list.

        `limit` is from 1 to 100. `after` and `before` are ids, exclusive and relative to the order.
        """
        ...
