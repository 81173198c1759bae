"""The table of messages. Those that wait behind a run are listed last, and join their thread when the run ends."""

from collections.abc import Mapping, Sequence
from typing import Any

from runstead.store.port import Newest, RunRow
from runstead.store.tables.pagination import HIGHEST, LOWEST
from runstead.store.tables.queries import Queries
from runstead.store.tables.table import Session, Table, Value
from runstead.wire.message import Message
from runstead.wire.page import ListQuery, Page

__all__ = ["SqlMessages"]


class SqlMessages:
    """`port.Messages`, in SQL."""

    def __init__(self, session: Session, queries: Queries, table: type[Table[Any]] = Table) -> None:
        self._session = session
        self._queries = queries["messages"]
        self._table: Table[Message] = table(session, queries["messages"], Message)

    async def get(self, project: str, thread_id: str, message_id: str) -> Message | None:
        return await self._table.get(project=project, thread_id=thread_id, id=message_id)

    async def insert(
        self, project: str, messages: Sequence[Message], predecessor: str | None = None, added_by: str | None = None
    ) -> None:
        """Add messages. Those `added_by` a run wait where it waits."""
        rows = [self.columns(message, predecessor, added_by) for message in messages]
        await self.insert_columns(project, rows)

    async def insert_columns(self, project: str, rows: Sequence[Mapping[str, Value]]) -> None:
        """Add messages, each as its columns."""
        if rows:
            await self._session.execute_many(self._queries["insert"], [{"project": project, **row} for row in rows])

    async def replace_columns(self, project: str, columns: Mapping[str, Value]) -> None:
        """Write a message back, as its columns."""
        await self._session.execute(self._queries["replace"], project=project, **columns)

    async def add(self, project: str, message: Message) -> bool:
        added = await self._session.row(self._queries["add"], project=project, **self.columns(message))
        return added is not None

    def columns(
        self, message: Message, predecessor: str | None = None, added_by: str | None = None
    ) -> Mapping[str, Value]:
        """A message as its columns, but for the project."""
        return {
            "id": message.id,
            "thread_id": message.thread_id,
            "run_id": message.run_id,
            "created_at": message.created_at,
            "predecessor": predecessor,
            "added_by": added_by,
            "body": self._table.body(message),
        }

    async def promote_waiting(self, ended: RunRow) -> None:
        """A run has ended: the messages behind it join the thread, at its end, or are queued behind its predecessor."""
        run = ended.run
        if ended.predecessor is not None:
            await self._session.execute(self._queries["pass_on"], run_id=run.id, predecessor=ended.predecessor)
            return
        for (message_id,) in await self._session.rows(self._queries["waiting"], run_id=run.id):
            await self._session.execute(self._queries["join_thread"], id=message_id)

    async def replace(self, project: str, message: Message) -> bool:
        return await self._table.replace(message, project=project, thread_id=message.thread_id)

    async def delete(self, project: str, thread_id: str, message_id: str) -> bool:
        return await self._table.delete(project=project, thread_id=thread_id, id=message_id)

    async def page(
        self, project: str, thread_id: str, query: ListQuery, run_id: str | None = None
    ) -> Page[Message] | None:
        if run_id is None:
            return await self._table.page(query, project=project, thread_id=thread_id)
        return await self._table.page(query, "run_page", project=project, thread_id=thread_id, run_id=run_id)

    async def newest(self, project: str, thread_id: str, limit: int, before: str | None = None) -> Newest:
        high = HIGHEST
        if before is not None:
            position = await self._table.position(before, project=project, thread_id=thread_id)
            if position is None:
                return Newest([], more=False)
            high = position
        found, cut_short = await self._table.between(
            LOWEST, high, limit, "newest", project=project, thread_id=thread_id
        )
        return Newest(found, more=cut_short or len(found) == limit)
