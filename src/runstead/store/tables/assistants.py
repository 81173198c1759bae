"""The table of assistants."""

from typing import Any

from runstead.store.port.assistants import AssistantRow
from runstead.store.tables.chosen_defaults import ASSISTANT
from runstead.store.tables.queries import Queries
from runstead.store.tables.table import Session, Table
from runstead.wire.assistant import Assistant
from runstead.wire.page import ListQuery, Page

__all__ = ["SqlAssistants"]


class SqlAssistants:
    """`port.Assistants`, in SQL."""

    def __init__(self, session: Session, queries: Queries, table: type[Table[Any]] = Table) -> None:
        self._table: Table[AssistantRow] = table(session, queries["assistants"], AssistantRow, ASSISTANT)

    async def get(self, project: str, assistant_id: str) -> AssistantRow | None:
        return await self._table.get(project=project, id=assistant_id)

    async def insert(self, project: str, row: AssistantRow) -> None:
        await self._table.insert(row, project=project)

    async def replace(self, project: str, row: AssistantRow) -> bool:
        return await self._table.replace(row, project=project)

    async def delete(self, project: str, assistant_id: str) -> bool:
        return await self._table.delete(project=project, id=assistant_id)

    async def page(self, project: str, query: ListQuery) -> Page[Assistant] | None:
        page = await self._table.page(query, project=project)
        if page is None:
            return None
        assistants = [row.assistant for row in page.data]
        return Page(data=assistants, first_id=page.first_id, last_id=page.last_id, has_more=page.has_more)
