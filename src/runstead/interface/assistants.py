"""The interface of assistants."""

from typing import Protocol

from runstead.interface.page import PageOf
from runstead.wire.assistant import Assistant, AssistantDeleted, AssistantId, AssistantRequest, AssistantUpdate
from runstead.wire.struct import SortOrder

__all__ = ["Assistants"]


class Assistants(Protocol):
    """A model with instructions and tools, kept under an id. An unknown id is `NotFound`."""

    async def create_assistant(self, request: AssistantRequest) -> Assistant:
        """Make an assistant. Its model is not checked before a run asks for it."""
        ...

    async def get_assistant(self, assistant_id: AssistantId) -> Assistant:
        """The assistant as it is now."""
        ...

    async def update_assistant(self, assistant_id: AssistantId, request: AssistantUpdate) -> Assistant:
        """Change the fields that are given: absent ones stay, `None` clears. Runs that exist are not touched."""
        ...

    async def delete_assistant(self, assistant_id: AssistantId) -> AssistantDeleted:
        """Remove the assistant. Its runs and messages stay, and runs at work go on."""
        ...

    async def assistants(
        self,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: AssistantId | None = None,
        before: AssistantId | None = None,
    ) -> PageOf[Assistant]:
        """The assistants, newest first by default."""
        ...
