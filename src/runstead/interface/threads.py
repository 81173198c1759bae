"""The interface of threads."""

from typing import Protocol

from runstead.interface.page import PageOf
from runstead.wire.struct import SortOrder
from runstead.wire.thread import Thread, ThreadDeleted, ThreadId, ThreadRequest, ThreadUpdate

__all__ = ["Threads"]


class Threads(Protocol):
    """A conversation: messages, and the runs over them. An unknown id is `NotFound`."""

    async def create_thread(self, request: ThreadRequest | None = None) -> Thread:
        """Make a thread, with its first messages if there are any: all of it, or nothing."""
        ...

    async def get_thread(self, thread_id: ThreadId) -> Thread:
        """The thread as it is now, without its messages."""
        ...

    async def update_thread(self, thread_id: ThreadId, request: ThreadUpdate) -> Thread:
        """Change the fields that are given: absent ones stay, `None` clears. Allowed while a run is active."""
        ...

    async def delete_thread(self, thread_id: ThreadId) -> ThreadDeleted:
        """Remove the thread with its messages, runs and steps. Runs that have not ended are stopped."""
        ...

    async def threads(
        self,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: ThreadId | None = None,
        before: ThreadId | None = None,
    ) -> PageOf[Thread]:
        """All threads, newest first by default. The original API never had this."""
        ...
