"""The table of files, the bytes that a project's files have together, and the blobs that are to be removed."""

from collections.abc import Sequence

import msgspec

from runstead.store.port.files import FileRow
from runstead.store.tables.queries import Queries
from runstead.store.tables.table import Session, Table
from runstead.wire.file import File, FileQuery
from runstead.wire.page import Page

__all__ = ["SqlFiles"]

_encode = msgspec.json.Encoder().encode


class SqlFiles:
    """`port.Files`, in SQL."""

    def __init__(self, session: Session, queries: Queries) -> None:
        self._session = session
        self._queries = queries["files"]
        self._table = Table(session, self._queries, FileRow)

    async def get(self, project: str, file_id: str, now: int) -> FileRow | None:
        return await self._table.get(project=project, id=file_id, now=now)

    async def get_many(self, project: str, file_ids: Sequence[str], now: int) -> dict[str, FileRow]:
        if not file_ids:
            return {}
        rows = await self._session.rows(self._queries["get_many"], project=project, ids=_json(file_ids), now=now)
        return {row.id: row for row in map(self._table.item, rows)}

    async def insert(self, project: str, row: FileRow) -> int:
        file = row.file
        total = await self._use(project, file.bytes)  # first: it locks the project's files
        await self._table.insert(
            row, project=project, purpose=file.purpose, expires_at=file.expires_at, bytes=file.bytes, blob=row.blob
        )
        return total

    async def delete(self, project: str, file_id: str, now: int) -> FileRow | None:
        found = await self._session.row(self._queries["delete"], project=project, id=file_id)
        if found is None:
            return None
        row = self._table.item(found)
        await self._use(project, -row.file.bytes)
        await self.mark_blob(row.blob, now)
        return row

    async def page(self, project: str, query: FileQuery, now: int) -> Page[File] | None:
        statement = "page" if query.purpose is None else "purpose_page"
        page = await self._table.page(query, statement, project=project, purpose=query.purpose, now=now)
        if page is None:
            return None
        files = [row.file for row in page.data]
        return Page(data=files, first_id=page.first_id, last_id=page.last_id, has_more=page.has_more)

    async def usage(self, project: str) -> int:
        row = await self._session.row(self._queries["usage"], project=project)
        return 0 if row is None else int(row[0])

    async def sum_of_sizes(self, project: str) -> int:
        row = await self._session.row(self._queries["sum_of_sizes"], project=project)
        return 0 if row is None else int(row[0])

    async def audit(self, after: str, limit: int) -> list[tuple[str, FileRow]]:
        rows = await self._session.rows(self._queries["audit"], after=after, limit=limit)
        return [(project, self._table.item((body,))) for project, body in rows]

    async def expired(self, now: int, limit: int) -> list[tuple[str, str]]:
        rows = await self._session.rows(self._queries["expired"], now=now, limit=limit)
        return [(project, id) for project, id in rows]

    async def named(self, blobs: Sequence[str]) -> set[str]:
        return {blob for (blob,) in await self._session.rows(self._queries["named"], blobs=_json(blobs))}

    async def mark_blob(self, blob: str, now: int) -> None:
        await self._session.execute(self._queries["mark_blob"], blob=blob, now=now)

    async def marked_blobs(self, limit: int) -> list[str]:
        return [blob for (blob,) in await self._session.rows(self._queries["marked_blobs"], limit=limit)]

    async def unmark_blobs(self, blobs: Sequence[str]) -> None:
        await self._session.execute(self._queries["unmark_blobs"], blobs=_json(blobs))

    async def _use(self, project: str, size: int) -> int:
        """Count so many bytes more, and return their new sum."""
        row = await self._session.row(self._queries["use"], project=project, bytes=size)
        assert row is not None
        return int(row[0])


def _json(texts: Sequence[str]) -> str:
    return _encode(texts).decode()
