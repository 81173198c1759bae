"""The interface of messages."""

from typing import Protocol

from runstead.interface.page import PageOf
from runstead.wire.message import Message, MessageDeleted, MessageId, MessageRequest
from runstead.wire.run import RunId
from runstead.wire.struct import UNSET, Metadata, SortOrder, UnsetType
from runstead.wire.thread import ThreadId

__all__ = ["Messages"]


class Messages(Protocol):
    """Messages: what users and assistants said on a thread.

    An unknown id raises `NotFound`, an id of another kind `BadRequest`.
    """

    async def create_message(self, thread_id: ThreadId, request: MessageRequest) -> Message:
        """Add a message at the end of a thread.

        `on_busy` decides what happens while a run of the thread is active. `reject` raises `BadRequest`. `enqueue`
        lists the message at once, at the end, but only runs that are created after it see it. `interrupt` cancels the
        active run and then adds the message. Without `on_busy`, that of the thread applies, else that of the server.
        """
        ...

    async def get_message(self, thread_id: ThreadId, message_id: MessageId) -> Message:
        """Return a message.

        A message that a run is writing is `in_progress`, and its content is empty until it is complete.
        """
        ...

    async def update_message(
        self, thread_id: ThreadId, message_id: MessageId, metadata: Metadata | None | UnsetType = UNSET
    ) -> Message:
        """Update the metadata of a message.

        The new metadata replaces the old; absent metadata stays, and `None` clears it.
        """
        ...

    async def delete_message(self, thread_id: ThreadId, message_id: MessageId) -> MessageDeleted:
        """Delete a message.

        `BadRequest` while a run of the thread is active.
        """
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
        """List the messages of a thread, newest first by default.

        With `run_id`, only those that this run wrote. `limit` is from 1 to 100. `after` and `before` are ids, exclusive
        and relative to the order.
        """
        ...
