# Generated from src/runstead/client/_async/messages.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""The calls for messages."""

from runstead.client._sync.calls import Calls
from runstead.client._sync.pages import Page
from runstead.wire.endpoints import messages as endpoint
from runstead.wire.message import Message, MessageDeleted, MessageId, MessageRequest, MessageUpdate
from runstead.wire.page import MessageQuery
from runstead.wire.run import RunId
from runstead.wire.struct import UNSET, Metadata, SortOrder, UnsetType
from runstead.wire.thread import ThreadId

__all__ = ["Messages"]


class Messages(Calls):
    """`runstead.interface.Messages`."""

    def create_message(self, thread_id: ThreadId, request: MessageRequest) -> Message:
        return self._transport.call(endpoint.CREATE_MESSAGE, {"thread_id": thread_id}, body=request)

    def get_message(self, thread_id: ThreadId, message_id: MessageId) -> Message:
        path = {"thread_id": thread_id, "message_id": message_id}
        return self._transport.call(endpoint.GET_MESSAGE, path)

    def update_message(
        self, thread_id: ThreadId, message_id: MessageId, metadata: Metadata | None | UnsetType = UNSET
    ) -> Message:
        path = {"thread_id": thread_id, "message_id": message_id}
        return self._transport.call(endpoint.UPDATE_MESSAGE, path, body=MessageUpdate(metadata=metadata))

    def delete_message(self, thread_id: ThreadId, message_id: MessageId) -> MessageDeleted:
        path = {"thread_id": thread_id, "message_id": message_id}
        return self._transport.call(endpoint.DELETE_MESSAGE, path)

    def messages(
        self,
        thread_id: ThreadId,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: MessageId | None = None,
        before: MessageId | None = None,
        run_id: RunId | None = None,
    ) -> Page[Message]:
        query = MessageQuery(limit=limit, order=order, after=after, before=before, run_id=run_id)
        return self._page(endpoint.MESSAGES, {"thread_id": thread_id}, query)
