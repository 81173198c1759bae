"""The files of vector stores, which are also the queue of their ingestion, and the batches that they were added in."""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from runstead.store.port.vector_stores import IngestionJob
from runstead.store.tables.queries import Queries
from runstead.store.tables.table import Row, Session, Table, Value
from runstead.wire.page import Page
from runstead.wire.vector_store import FileBatch, FileCounts, StoreFile, StoreFileError, StoreFileQuery, StoreFileStatus

__all__ = ["SqlFileBatches", "SqlStoreFiles"]

_encode = msgspec.json.Encoder().encode
_STATUSES: Sequence[StoreFileStatus] = ("in_progress", "completed", "failed", "cancelled")


class _FileRow(Struct, frozen=True):
    """A file of a store, with an id that no other row has: a file may be in many stores."""

    file: StoreFile

    @property
    def id(self) -> str:
        return f"{self.file.vector_store_id}/{self.file.id}"

    @property
    def created_at(self) -> int:
        return self.file.created_at


class SqlStoreFiles:
    """`port.StoreFiles`, in SQL."""

    def __init__(self, session: Session, queries: Queries) -> None:
        self._session = session
        self._queries = queries["store_files"]
        self._stores = queries["vector_stores"]
        self._table = _FileTable(session, self._queries, _FileRow)

    async def get(self, project: str, store_id: str, file_id: str) -> StoreFile | None:
        row = await self._session.row(self._queries["get"], project=project, store_id=store_id, id=file_id)
        return None if row is None else _with_columns(self._table.read(row[0]), row)

    async def get_many(self, project: str, store_id: str, file_ids: Sequence[str]) -> dict[str, StoreFile]:
        rows = await self._session.rows(
            self._queries["get_many"], project=project, store_id=store_id, ids=_json(file_ids)
        )
        files = (_with_columns(self._table.item(row), row) for row in rows)
        return {file.id: file for file in files}

    async def add(self, project: str, files: Sequence[StoreFile], now: int, batch_id: str | None = None) -> None:
        if not files:
            return
        store_id = files[0].vector_store_id
        replaced = await self._session.rows(
            self._queries["sums_of"], project=project, store_id=store_id, ids=_json([file.id for file in files])
        )
        await self._session.execute_many(
            self._queries["add"], [self._columns(project, file, now, batch_id) for file in files]
        )
        await self._count(project, store_id, _difference(replaced, files))

    async def page(
        self, project: str, store_id: str, query: StoreFileQuery, batch_id: str | None = None
    ) -> Page[StoreFile] | None:
        statement = "batch_page" if batch_id is not None else "page" if query.filter is None else "status_page"
        page = await self._table.page(
            query, statement, project=project, store_id=store_id, status=query.filter, batch_id=batch_id
        )
        if page is None:
            return None
        files = [row.file for row in page.data]
        first_id, last_id = (files[0].id, files[-1].id) if files else (None, None)
        return Page(data=files, first_id=first_id, last_id=last_id, has_more=page.has_more)

    async def replace(self, project: str, file: StoreFile) -> bool:
        row = await self._session.row(
            self._queries["replace"], project=project, store_id=file.vector_store_id, id=file.id, body=self._body(file)
        )
        return row is not None

    async def remove(self, project: str, store_id: str, file_id: str, now: int) -> bool:
        row = await self._session.row(self._queries["delete"], project=project, store_id=store_id, id=file_id)
        if row is None:
            return False
        status, usage_bytes = row
        await self._count(project, store_id, {status: -1, "usage_bytes": -usage_bytes})
        await self._session.execute(self._stores["mark_removal"], project=project, store_id=store_id, file_id=file_id)
        return True

    async def remove_some(self, project: str, store_id: str, limit: int, now: int) -> int:
        found = await self._session.rows(self._queries["some"], project=project, store_id=store_id, limit=limit)
        for (file_id,) in found:
            await self.remove(project, store_id, file_id, now)
        return len(found)

    async def stores_of(self, project: str, file_id: str) -> list[str]:
        return [id for (id,) in await self._session.rows(self._queries["stores_of"], project=project, file_id=file_id)]

    async def count_in_progress(self, project: str, store_ids: Sequence[str]) -> int:
        row = await self._session.row(self._queries["count_in_progress"], project=project, ids=_json(store_ids))
        return 0 if row is None else int(row[0])

    async def due_projects(self, now: int) -> list[str]:
        return [project for (project,) in await self._session.rows(self._queries["due_projects"], now=now)]

    async def claim(self, project: str, now: int, until: int) -> IngestionJob | None:
        row = await self._session.row(self._queries["claim"], project=project, now=now, until=until)
        if row is None:
            return None
        return IngestionJob(
            project=project, file=_with_columns(self._table.item(row), row), claims=row[3], attempts=row[4]
        )

    async def renew(self, job: IngestionJob, until: int) -> bool:
        return await self._guarded("renew", job, at=until)

    async def finish(self, job: IngestionJob, usage_bytes: int, error: StoreFileError | None) -> bool:
        # The attributes may have changed since the claim, so the row is read again.
        file = await self.get(job.project, job.file.vector_store_id, job.file.id)
        if file is None:
            return False
        status: StoreFileStatus = "completed" if error is None else "failed"
        body = self._body(replace(file, last_error=error))
        if not await self._guarded("finish", job, status=status, usage_bytes=usage_bytes, body=body):
            return False
        counts = {"in_progress": -1, status: 1, "usage_bytes": usage_bytes - file.usage_bytes}
        await self._count(job.project, file.vector_store_id, counts)
        if error is not None:
            await self._session.execute(
                self._stores["mark_removal"], project=job.project, store_id=file.vector_store_id, file_id=file.id
            )
        return True

    async def renew_completed(self, project: str, store_id: str, file_ids: Sequence[str], now: int) -> int:
        files = await self.get_many(project, store_id, file_ids)
        again = [replace(file, status="in_progress") for file in files.values() if file.status == "completed"]
        await self.add(project, again, now)
        return len(again)

    async def retry(self, job: IngestionJob, at: int) -> bool:
        return await self._guarded("renew", job, at=at)

    async def release(self, job: IngestionJob, at: int) -> bool:
        return await self._guarded("release", job, at=at)

    async def release_all(self, now: int) -> None:
        await self._session.execute(self._queries["release_all"], now=now)

    async def sums(self, store_id: str) -> tuple[FileCounts, int]:
        rows = await self._session.rows(self._queries["sums"], store_id=store_id)
        counts = {status: int(number) for status, number, _ in rows}
        return FileCounts(total=sum(counts.values()), **counts), sum(int(usage) for *_, usage in rows)

    async def audit(self, after: tuple[str, str], limit: int) -> list[tuple[str, StoreFile]]:
        store_id, file_id = after
        rows = await self._session.rows(self._queries["audit"], store_id=store_id, file_id=file_id, limit=limit)
        return [(row[0], _with_columns(self._table.item(row[1:]), row[1:])) for row in rows]

    async def _guarded(self, name: str, job: IngestionJob, **values: Value) -> bool:
        file = job.file
        row = await self._session.row(
            self._queries[name], store_id=file.vector_store_id, id=file.id, claims=job.claims, **values
        )
        return row is not None

    async def _count(self, project: str, store_id: str, differences: Mapping[str, int]) -> None:
        """Add differences to the counts and the usage of a store."""
        values = {name: differences.get(name, 0) for name in (*_STATUSES, "usage_bytes")}
        await self._session.execute(self._stores["count"], project=project, id=store_id, **values)

    def _columns(self, project: str, file: StoreFile, now: int, batch_id: str | None) -> dict[str, Value]:
        return {
            "store_id": file.vector_store_id, "id": file.id, "project": project, "batch_id": batch_id,
            "status": file.status, "usage_bytes": file.usage_bytes,
            "next_at": now if file.status == "in_progress" else None,
            "body": self._body(file),
        }  # fmt: skip

    def _body(self, file: StoreFile) -> bytes:
        return self._table.body(_FileRow(file))


class SqlFileBatches:
    """`port.FileBatches`, in SQL."""

    def __init__(self, session: Session, queries: Queries) -> None:
        self._session = session
        self._queries = queries["store_files"]
        self._stores = queries["vector_stores"]

    async def get(self, project: str, store_id: str, batch_id: str) -> FileBatch | None:
        row = await self._session.row(self._queries["get_batch"], project=project, store_id=store_id, id=batch_id)
        if row is None:
            return None
        rows = await self._session.rows(self._queries["batch_counts"], project=project, id=batch_id)
        counts = {status: int(number) for status, number in rows}
        file_counts = FileCounts(total=sum(counts.values()), **counts)
        return FileBatch(
            id=row[0],
            created_at=row[1],
            vector_store_id=store_id,
            status=_batch_status(file_counts),
            file_counts=file_counts,
        )

    async def insert(self, project: str, batch: FileBatch) -> None:
        await self._session.execute(
            self._queries["insert_batch"],
            id=batch.id,
            store_id=batch.vector_store_id,
            project=project,
            created_at=batch.created_at,
        )

    async def cancel(self, project: str, store_id: str, batch_id: str) -> int:
        await self._session.execute(self._stores["mark_batch"], project=project, store_id=store_id, id=batch_id)
        rows = await self._session.rows(self._queries["cancel_batch"], project=project, store_id=store_id, id=batch_id)
        differences = dict.fromkeys((*_STATUSES, "usage_bytes"), 0) | {
            "in_progress": -len(rows),
            "cancelled": len(rows),
        }
        await self._session.execute(self._stores["count"], project=project, id=store_id, **differences)
        return len(rows)


class _FileTable(Table[_FileRow]):
    """A table whose objects are partly columns. A page of them is small: attributes have 9 KiB at most."""

    async def first(self, name: str, **values: Value) -> tuple[list[_FileRow], bool]:
        rows = await self._session.rows(self._queries[name], **values)
        return [_FileRow(_with_columns(self.item(row), row)) for row in rows], False


def _with_columns(row: _FileRow, columns: Row) -> StoreFile:
    return replace(row.file, status=columns[1], usage_bytes=columns[2])


def _batch_status(counts: FileCounts) -> StoreFileStatus:
    if counts.in_progress:
        return "in_progress"
    if counts.cancelled:
        return "cancelled"
    return "failed" if counts.failed and counts.failed == counts.total else "completed"


def _difference(replaced: Sequence[Row], files: Sequence[StoreFile]) -> Mapping[str, int]:
    """How counts and usage change when files are added in place of others, which are given by status."""
    differences: Counter[str] = Counter()
    for status, number, usage_bytes in replaced:
        differences[status] -= int(number)
        differences["usage_bytes"] -= int(usage_bytes)
    for file in files:
        differences[file.status] += 1
        differences["usage_bytes"] += file.usage_bytes
    return differences


def _json(texts: Sequence[str]) -> str:
    return _encode(texts).decode()
