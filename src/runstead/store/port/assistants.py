"""The port of assistants."""

from typing import Protocol

from msgspec import Struct

from runstead.domain.chosen_defaults import NONE_CHOSEN, ChosenDefaults
from runstead.wire.assistant import Assistant
from runstead.wire.page import ListQuery, Page

__all__ = ["AssistantRow", "Assistants"]


class AssistantRow(Struct, frozen=True):
    """An assistant, and the fields that are stored with it but not shown."""

    assistant: Assistant
    chosen_defaults: ChosenDefaults = NONE_CHOSEN
    """The options whose default its requests chose."""

    @property
    def id(self) -> str:
        return self.assistant.id

    @property
    def created_at(self) -> int:
        return self.assistant.created_at


class Assistants(Protocol):
    """The assistants of all projects. `get` is None, `replace` and `delete` are False, when there is no such row."""

    async def get(self, project: str, assistant_id: str) -> AssistantRow | None: ...
    async def insert(self, project: str, row: AssistantRow) -> None: ...
    async def replace(self, project: str, row: AssistantRow) -> bool: ...
    async def delete(self, project: str, assistant_id: str) -> bool: ...
    async def page(self, project: str, query: ListQuery) -> Page[Assistant] | None:
        """A page; None when the query's cursor is unknown. The same for every `page` below."""
        ...
