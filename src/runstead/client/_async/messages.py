"""The calls for messages."""

from runstead.client._async.calls import AsyncCalls
from runstead.client._async.pages import AsyncPage
from runstead.wire.endpoints import messages as endpoint
from runstead.wire.message import Message, MessageDeleted, MessageId, MessageRequest, MessageUpdate
from runstead.wire.page import MessageQuery
from runstead.wire.run import RunId
from runstead.wire.struct import UNSET, Metadata, SortOrder, UnsetType
from runstead.wire.thread import ThreadId

__all__ = ["AsyncMessages"]


class AsyncMessages(AsyncCalls):
    """`runstead.interface.Messages`."""

    async def create_message(self, thread_id: ThreadId, request: MessageRequest) -> Message:
        return await self._transport.call(endpoint.CREATE_MESSAGE, {"thread_id": thread_id}, body=request)

    async def get_message(self, thread_id: ThreadId, message_id: MessageId) -> Message:
        path = {"thread_id": thread_id, "message_id": message_id}
        return await self._transport.call(endpoint.GET_MESSAGE, path)

    async def update_message(
        self, thread_id: ThreadId, message_id: MessageId, metadata: Metadata | None | UnsetType = UNSET
    ) -> Message:
        path = {"thread_id": thread_id, "message_id": message_id}
        return await self._transport.call(endpoint.UPDATE_MESSAGE, path, body=MessageUpdate(metadata=metadata))

    async def delete_message(self, thread_id: ThreadId, message_id: MessageId) -> MessageDeleted:
        path = {"thread_id": thread_id, "message_id": message_id}
        return await self._transport.call(endpoint.DELETE_MESSAGE, path)

    async def messages(
        self,
        thread_id: ThreadId,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: MessageId | None = None,
        before: MessageId | None = None,
        run_id: RunId | None = None,
    ) -> AsyncPage[Message]:
        query = MessageQuery(limit=limit, order=order, after=after, before=before, run_id=run_id)
        return await self._page(endpoint.MESSAGES, {"thread_id": thread_id}, query)
