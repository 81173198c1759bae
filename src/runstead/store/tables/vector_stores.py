"""The table of vector stores. Counts, usage and times are columns, because they change with every file."""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from runstead.store.port.vector_stores import IndexRemoval, VectorStoreRow
from runstead.store.tables.deletions import SqlDeletions
from runstead.store.tables.queries import Queries
from runstead.store.tables.table import Row, Session, Table, Value
from runstead.wire.page import ListQuery, Page
from runstead.wire.vector_store import FileCounts, StoreStatus, VectorStore

__all__ = ["SqlVectorStores"]

_encode = msgspec.json.Encoder().encode


class SqlVectorStores:
    """`port.VectorStores`, in SQL."""

    def __init__(self, session: Session, queries: Queries, deletions: SqlDeletions) -> None:
        self._session = session
        self._queries = queries["vector_stores"]
        self._deletions = deletions
        self._table = _StoreTable(session, self._queries, VectorStoreRow)

    async def get(self, project: str, store_id: str, now: int) -> VectorStoreRow | None:
        row = await self._session.row(self._queries["get"], project=project, id=store_id)
        return None if row is None else _at(now, _with_columns(self._table.read(row[0]), row))

    async def insert(self, project: str, row: VectorStoreRow) -> None:
        await self._table.insert(row, project=project, **_times(row.store))

    async def replace(self, project: str, row: VectorStoreRow) -> bool:
        return await self._table.replace(row, project=project, **_times(row.store))

    async def delete(self, project: str, store_id: str, now: int) -> bool:
        if not await self._table.delete(project=project, id=store_id):
            return False
        await self._deletions.mark_store(project, store_id, now)
        await self.mark_removal(project, store_id, None)
        return True

    async def page(self, project: str, query: ListQuery, now: int) -> Page[VectorStore] | None:
        page = await self._table.page(query, project=project)
        if page is None:
            return None
        stores = [_at(now, row).store for row in page.data]
        return Page(data=stores, first_id=page.first_id, last_id=page.last_id, has_more=page.has_more)

    async def use(self, project: str, store_id: str, now: int) -> None:
        await self._session.execute(self._queries["use"], project=project, id=store_id, now=now)

    async def expired(self, now: int, limit: int) -> list[tuple[str, str]]:
        rows = await self._session.rows(self._queries["expired"], now=now, limit=limit)
        return [(project, id) for project, id in rows]

    async def audit(self, after: str, limit: int, now: int) -> list[tuple[str, VectorStoreRow]]:
        rows = await self._session.rows(self._queries["audit"], after=after, limit=limit)
        return [(row[0], _at(now, _with_columns(self._table.item(row[1:]), row[1:]))) for row in rows]

    async def mark_removal(self, project: str, store_id: str, file_id: str | None) -> None:
        await self._session.execute(self._queries["mark_removal"], project=project, store_id=store_id, file_id=file_id)

    async def removals(self, limit: int) -> list[IndexRemoval]:
        rows = await self._session.rows(self._queries["removals"], limit=limit)
        return [IndexRemoval(number=n, project=project, store_id=s, file_id=f) for n, project, s, f in rows]

    async def removed(self, numbers: Sequence[int]) -> None:
        await self._session.execute(self._queries["removed"], numbers=_encode(numbers).decode())


class _StoreTable(Table[VectorStoreRow]):
    """A table whose objects are partly columns. A page of them is small: a store has a few kilobytes at most."""

    async def first(self, name: str, **values: Value) -> tuple[list[VectorStoreRow], bool]:
        rows = await self._session.rows(self._queries[name], **values)
        return [_with_columns(self.item(row), row) for row in rows], False


def _times(store: VectorStore) -> dict[str, Value]:
    days = None if store.expires_after is None else store.expires_after.days
    return {"last_active_at": store.last_active_at, "expires_days": days}


def _with_columns(row: VectorStoreRow, columns: Row) -> VectorStoreRow:
    _, last_active_at, expires_at, in_progress, completed, failed, cancelled, usage_bytes = columns
    counts = FileCounts(
        in_progress=in_progress,
        completed=completed,
        failed=failed,
        cancelled=cancelled,
        total=in_progress + completed + failed + cancelled,
    )
    store = replace(
        row.store,
        last_active_at=last_active_at,
        expires_at=expires_at,
        file_counts=counts,
        usage_bytes=usage_bytes,
    )
    return replace(row, store=store)


def _at(now: int, row: VectorStoreRow) -> VectorStoreRow:
    """The store with its status at this time."""
    return replace(row, store=replace(row.store, status=_status(now, row.store)))


def _status(now: int, store: VectorStore) -> StoreStatus:
    if store.expires_at is not None and store.expires_at <= now:
        return "expired"
    return "in_progress" if store.file_counts.in_progress else "completed"
