"""The calls for assistants."""

from runstead.client._async.calls import AsyncCalls
from runstead.client._async.pages import AsyncPage
from runstead.wire.assistant import Assistant, AssistantDeleted, AssistantId, AssistantRequest, AssistantUpdate
from runstead.wire.endpoints import assistants as endpoint
from runstead.wire.page import ListQuery
from runstead.wire.struct import SortOrder

__all__ = ["AsyncAssistants"]


class AsyncAssistants(AsyncCalls):
    """`runstead.interface.Assistants`."""

    async def create_assistant(self, request: AssistantRequest) -> Assistant:
        return await self._transport.call(endpoint.CREATE_ASSISTANT, {}, body=request)

    async def get_assistant(self, assistant_id: AssistantId) -> Assistant:
        return await self._transport.call(endpoint.GET_ASSISTANT, {"assistant_id": assistant_id})

    async def update_assistant(self, assistant_id: AssistantId, request: AssistantUpdate) -> Assistant:
        return await self._transport.call(endpoint.UPDATE_ASSISTANT, {"assistant_id": assistant_id}, body=request)

    async def delete_assistant(self, assistant_id: AssistantId) -> AssistantDeleted:
        return await self._transport.call(endpoint.DELETE_ASSISTANT, {"assistant_id": assistant_id})

    async def assistants(
        self,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: AssistantId | None = None,
        before: AssistantId | None = None,
    ) -> AsyncPage[Assistant]:
        query = ListQuery(limit=limit, order=order, after=after, before=before)
        return await self._page(endpoint.ASSISTANTS, {}, query)
