"""The table of threads; what belongs to a deleted one is removed afterwards."""

from runstead.store.tables.deletions import SqlDeletions
from runstead.store.tables.queries import Queries
from runstead.store.tables.table import Session, Table
from runstead.wire.page import ListQuery, Page
from runstead.wire.thread import Thread

__all__ = ["SqlThreads"]


class SqlThreads:
    """`port.Threads`, in SQL."""

    def __init__(self, session: Session, queries: Queries, deletions: SqlDeletions) -> None:
        self._session = session
        self._deletions = deletions
        self._table = Table(session, queries["threads"], Thread)

    async def get(self, project: str, thread_id: str) -> Thread | None:
        return await self._table.get(project=project, id=thread_id)

    async def insert(self, project: str, thread: Thread) -> None:
        await self._table.insert(thread, project=project)

    async def replace(self, project: str, thread: Thread) -> bool:
        return await self._table.replace(thread, project=project)

    async def delete(self, project: str, thread_id: str, now: int) -> bool:
        if not await self._table.delete(project=project, id=thread_id):
            return False
        await self._deletions.mark_thread(project, thread_id, now)
        return True

    async def page(self, project: str, query: ListQuery) -> Page[Thread] | None:
        return await self._table.page(query, project=project)
