"""The interface of assistants."""

from typing import Protocol

from runstead.interface.page import PageOf
from runstead.wire.assistant import Assistant, AssistantDeleted, AssistantId, AssistantRequest, AssistantUpdate
from runstead.wire.struct import SortOrder

__all__ = ["Assistants"]


class Assistants(Protocol):
    """Assistants: models with instructions and tools.

    An unknown id raises `NotFound`, an id of another kind `BadRequest`.
    """

    async def create_assistant(self, request: AssistantRequest) -> Assistant:
        """Create an assistant.

        The model is not looked up until a run uses it. `BadRequest` if two functions have the same name, or if
        `tool_resources` would create a vector store.
        """
        ...

    async def get_assistant(self, assistant_id: AssistantId) -> Assistant:
        """Return an assistant."""
        ...

    async def update_assistant(self, assistant_id: AssistantId, request: AssistantUpdate) -> Assistant:
        """Update an assistant.

        Absent fields keep their value; `None` clears a field. Runs that were created before keep the old values.
        """
        ...

    async def delete_assistant(self, assistant_id: AssistantId) -> AssistantDeleted:
        """Delete an assistant.

        Its runs and messages stay, and runs that have not ended continue.
        """
        ...

    async def assistants(
        self,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: AssistantId | None = None,
        before: AssistantId | None = None,
    ) -> PageOf[Assistant]:
        """List the assistants, newest first by default.

        `limit` is from 1 to 100. `after` and `before` are ids, exclusive and relative to the order.
        """
        ...
