"""The table of assistants."""

from typing import Any

from runstead.store.tables.queries import Queries
from runstead.store.tables.table import Session, Table
from runstead.wire.assistant import Assistant
from runstead.wire.page import ListQuery, Page

__all__ = ["SqlAssistants"]


class SqlAssistants:
    """`port.Assistants`, in SQL."""

    def __init__(self, session: Session, queries: Queries, table: type[Table[Any]] = Table) -> None:
        self._table: Table[Assistant] = table(session, queries["assistants"], Assistant)

    async def get(self, project: str, assistant_id: str) -> Assistant | None:
        return await self._table.get(project=project, id=assistant_id)

    async def insert(self, project: str, assistant: Assistant) -> None:
        await self._table.insert(assistant, project=project)

    async def replace(self, project: str, assistant: Assistant) -> bool:
        return await self._table.replace(assistant, project=project)

    async def delete(self, project: str, assistant_id: str) -> bool:
        return await self._table.delete(project=project, id=assistant_id)

    async def page(self, project: str, query: ListQuery) -> Page[Assistant] | None:
        return await self._table.page(query, project=project)
