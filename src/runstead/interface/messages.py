"""The interface of messages."""

from typing import Protocol

from runstead.interface.page import PageOf
from runstead.wire.message import Message, MessageDeleted, MessageId, MessageRequest
from runstead.wire.run import RunId
from runstead.wire.struct import UNSET, Metadata, SortOrder, UnsetType
from runstead.wire.thread import ThreadId

__all__ = ["Messages"]


class Messages(Protocol):
    """What was said on a thread. An unknown thread or message is `NotFound`."""

    async def create_message(self, thread_id: ThreadId, request: MessageRequest) -> Message:
        """Add a message at the end of the thread.

        While a run of the thread is active it is refused with `BadRequest`, joins the thread when the runs in line have
        ended, or interrupts the active one, as `on_busy` says.
        """
        ...

    async def get_message(self, thread_id: ThreadId, message_id: MessageId) -> Message:
        """The message as it is now; one that a run is writing is `in_progress` and empty."""
        ...

    async def update_message(
        self, thread_id: ThreadId, message_id: MessageId, metadata: Metadata | None | UnsetType = UNSET
    ) -> Message:
        """Change the metadata: absent leaves it, `None` clears it."""
        ...

    async def delete_message(self, thread_id: ThreadId, message_id: MessageId) -> MessageDeleted:
        """Remove the message. `BadRequest` while a run of the thread is active."""
        ...

    async def messages(
        self,
        thread_id: ThreadId,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: MessageId | None = None,
        before: MessageId | None = None,
        run_id: RunId | None = None,
    ) -> PageOf[Message]:
        """The thread's messages, newest first by default; with `run_id` only those that this run wrote."""
        ...
