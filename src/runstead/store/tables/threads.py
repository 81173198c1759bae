"""The table of threads; what belongs to a thread is deleted with it."""

from runstead.store.tables.queries import Queries
from runstead.store.tables.table import Session, Table
from runstead.wire.page import ListQuery, Page
from runstead.wire.thread import Thread

__all__ = ["SqlThreads"]


class SqlThreads:
    """`port.Threads`, in SQL."""

    def __init__(self, session: Session, queries: Queries) -> None:
        self._session = session
        self._queries = queries["threads"]
        self._table = Table(session, queries["threads"], Thread)

    async def get(self, project: str, thread_id: str) -> Thread | None:
        return await self._table.get(project=project, id=thread_id)

    async def insert(self, project: str, thread: Thread) -> None:
        await self._table.insert(thread, project=project)

    async def replace(self, project: str, thread: Thread) -> bool:
        return await self._table.replace(thread, project=project)

    async def delete(self, project: str, thread_id: str) -> bool:
        if not await self._table.delete(project=project, id=thread_id):
            return False
        # A writer of a run locks it: once the runs are locked, nothing is added to them. They are deleted last, because
        # what belongs to them is found by them.
        await self._session.rows(self._queries["lock_runs"], thread_id=thread_id)
        for part in ("delete_messages", "delete_steps", "delete_events", "delete_runs"):
            await self._session.execute(self._queries[part], thread_id=thread_id)
        return True

    async def page(self, project: str, query: ListQuery) -> Page[Thread] | None:
        return await self._table.page(query, project=project)
