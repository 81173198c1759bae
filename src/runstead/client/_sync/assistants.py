# Generated from src/runstead/client/_async/assistants.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""The calls for assistants."""

from runstead.client._sync.calls import Calls
from runstead.client._sync.pages import Page
from runstead.wire.assistant import Assistant, AssistantDeleted, AssistantId, AssistantRequest, AssistantUpdate
from runstead.wire.endpoints import assistants as endpoint
from runstead.wire.page import ListQuery
from runstead.wire.struct import SortOrder

__all__ = ["Assistants"]


class Assistants(Calls):
    """`runstead.interface.Assistants`."""

    def create_assistant(self, request: AssistantRequest) -> Assistant:
        return self._transport.call(endpoint.CREATE_ASSISTANT, {}, body=request)

    def get_assistant(self, assistant_id: AssistantId) -> Assistant:
        return self._transport.call(endpoint.GET_ASSISTANT, {"assistant_id": assistant_id})

    def update_assistant(self, assistant_id: AssistantId, request: AssistantUpdate) -> Assistant:
        return self._transport.call(endpoint.UPDATE_ASSISTANT, {"assistant_id": assistant_id}, body=request)

    def delete_assistant(self, assistant_id: AssistantId) -> AssistantDeleted:
        return self._transport.call(endpoint.DELETE_ASSISTANT, {"assistant_id": assistant_id})

    def assistants(
        self,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: AssistantId | None = None,
        before: AssistantId | None = None,
    ) -> Page[Assistant]:
        query = ListQuery(limit=limit, order=order, after=after, before=before)
        return self._page(endpoint.ASSISTANTS, {}, query)
