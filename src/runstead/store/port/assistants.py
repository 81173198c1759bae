"""The port of assistants."""

from typing import Protocol

from runstead.wire.assistant import Assistant
from runstead.wire.page import ListQuery, Page

__all__ = ["Assistants"]


class Assistants(Protocol):
    """The assistants of all projects. `get` is None, `replace` and `delete` are False, when there is no such row."""

    async def get(self, project: str, assistant_id: str) -> Assistant | None: ...
    async def insert(self, project: str, assistant: Assistant) -> None: ...
    async def replace(self, project: str, assistant: Assistant) -> bool: ...
    async def delete(self, project: str, assistant_id: str) -> bool: ...
    async def page(self, project: str, query: ListQuery) -> Page[Assistant] | None:
        """A page; None when the query's cursor is unknown. The same for every `page` below."""
        ...
