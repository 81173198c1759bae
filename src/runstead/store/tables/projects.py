"""The table of projects: limits of their own."""

from msgspec.structs import asdict

from runstead.store.port import Limits, ProjectRow
from runstead.store.tables.queries import Queries
from runstead.store.tables.table import Row, Session, Table, Value
from runstead.wire.page import ListQuery, Page

__all__ = ["SqlProjects", "effective"]


class SqlProjects:
    """`port.Projects`, in SQL."""

    def __init__(self, session: Session, queries: Queries) -> None:
        self._session = session
        self._queries = queries["projects"]
        self._table = _Projects(session, queries["projects"], ProjectRow)

    async def get(self, name: str) -> ProjectRow | None:
        row = await self._session.row(self._queries["get"], id=name)
        return None if row is None else _row(row)

    async def put(self, row: ProjectRow) -> None:
        await self._session.execute(self._queries["put"], **asdict(row))

    async def delete(self, name: str) -> bool:
        return await self._session.row(self._queries["delete"], id=name) is not None

    async def limits(self, name: str, defaults: Limits) -> Limits:
        row = await self.get(name)
        return defaults if row is None else effective(row.max_running, row.max_queued, defaults, row.max_file_bytes)

    async def page(self, query: ListQuery) -> Page[ProjectRow] | None:
        return await self._table.page(query)


def effective(
    max_running: int | None, max_queued: int | None, defaults: Limits, max_file_bytes: int | None = None
) -> Limits:
    """The limits that apply where a project says these: None is the default, 0 is no limit."""
    return Limits(
        max_running=(defaults.max_running if max_running is None else max_running) or None,
        max_queued=(defaults.max_queued if max_queued is None else max_queued) or None,
        max_file_bytes=(defaults.max_file_bytes if max_file_bytes is None else max_file_bytes) or None,
    )


class _Projects(Table[ProjectRow]):
    """A table whose objects are its columns."""

    async def first(self, name: str, **values: Value) -> tuple[list[ProjectRow], bool]:
        return [_row(row) for row in await self._session.rows(self._queries[name], **values)], False


def _row(row: Row) -> ProjectRow:
    name, created_at, max_running, max_queued, max_file_bytes = row
    return ProjectRow(
        name=name,
        created_at=created_at,
        max_running=max_running,
        max_queued=max_queued,
        max_file_bytes=max_file_bytes,
    )
