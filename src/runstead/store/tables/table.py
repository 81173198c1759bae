"""One table of wire objects: a few columns to find them by, and the object itself as JSON in `body`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from runstead.store.port import Unknown
from runstead.store.tables.batch import first_within
from runstead.store.tables.body import Body, unknown_in, with_unknown
from runstead.store.tables.pagination import cut, span
from runstead.wire.codec.json_shape import count_separators
from runstead.wire.page import ListQuery, Page

__all__ = ["Codec", "Listed", "NotSingle", "Row", "Session", "Table", "Value", "remember"]

Value: TypeAlias = str | int | bytes | list[Any] | None
Row: TypeAlias = tuple[Any, ...]

_PAGE_SIZE = 2 * 1024 * 1024
"""Bytes of the objects that are read at once. More would hold the event loop for longer than 50 ms."""
_VALUE_SIZE = 64
"""Bytes that take as long to decode as the object around a value."""
_REMEMBERED = 10_000
"""Objects with unknown fields that a process remembers from reading them to writing them."""


class NotSingle(Exception):
    """A work that was expected to make one statement makes another one. Nothing is written: run it in a transaction."""


class Session(Protocol):
    """One connection, inside a transaction. Statements take values by name; those they do not name are ignored."""

    @property
    def unknown(self) -> dict[str, Unknown]:
        """The unknown fields of the objects that were read last, by id: shared by all connections of a store."""
        ...

    async def row(self, sql: str, **values: Value) -> Row | None:
        """The first row, if there is one."""
        ...

    async def rows(self, sql: str, **values: Value) -> list[Row]: ...
    async def rows_within(
        self, sql: str, columns: tuple[str, ...], size: int, **values: Value
    ) -> tuple[list[Row], bool]:
        """The first rows, as far as they have `size` bytes together, but at least one; and whether there are more.

        `columns` are those of the statement: bytes or NULL, all of them.
        """
        ...

    async def execute(self, sql: str, **values: Value) -> None: ...
    async def execute_many(self, sql: str, rows: Iterable[Mapping[str, Value]]) -> None: ...


def remember(session: Session, id: str, unknown: Unknown | None) -> None:
    """Remember the unknown fields of an object until it is written back; it may have none."""
    remembered = session.unknown
    remembered.pop(id, None)
    if unknown is not None:
        remembered[id] = unknown
        if len(remembered) > _REMEMBERED:
            del remembered[next(iter(remembered))]


class Listed(Protocol):
    """The fields of every listed object."""

    @property
    def id(self) -> str: ...
    @property
    def created_at(self) -> int: ...


T = TypeVar("T", bound=Listed)


class Codec(Protocol[T]):
    """How the objects of a table are stored in `body`."""

    def decode(self, stored: bytes, /) -> T:
        """The object, without what this version does not know."""
        ...

    def encode(self, item: T, /) -> bytes: ...


class Table(Generic[T]):
    """The pages of a table, and those of the statements `get insert replace delete position page_up page_down` that it
    has.
    """

    columns: tuple[str, ...] = ("body",)
    """The columns that a page's statement selects."""

    def __init__(
        self, session: Session, queries: Mapping[str, str], kind: type[T], codec: Codec[T] | None = None
    ) -> None:
        self._session = session
        self._queries = queries
        self._codec = codec or Body(kind)

    async def get(self, **key: Value) -> T | None:
        row = await self._session.row(self._queries["get"], **key)
        return None if row is None else self.read(row[0])

    async def insert(self, item: T, **columns: Value) -> None:
        await self._session.execute(
            self._queries["insert"], id=item.id, created_at=item.created_at, body=self.body(item), **columns
        )

    async def replace(self, item: T, **key: Value) -> bool:
        row = await self._session.row(self._queries["replace"], id=item.id, body=self.body(item), **key)
        return row is not None

    async def delete(self, **key: Value) -> bool:
        return await self._session.row(self._queries["delete"], **key) is not None

    def read(self, stored: bytes) -> T:
        """An object that may be written back: the fields that this version does not know are remembered."""
        item = self._codec.decode(stored)
        remember(self._session, item.id, unknown_in(stored, self._codec.encode(item)))
        return item

    def body(self, item: T) -> bytes:
        """An object as it is stored, with the unknown fields that it had when it was read."""
        return with_unknown(self._codec.encode(item), self._session.unknown.get(item.id))

    async def first(self, name: str, **values: Value) -> tuple[list[T], bool]:
        """The first objects that a statement finds, as many as are read at once, and whether there are more."""
        rows, more = await self._session.rows_within(self._queries[name], self.columns, _PAGE_SIZE, **values)
        fitting = _first_fitting(rows)
        return [self.item(row) for row in rows[:fitting]], more or fitting < len(rows)

    def item(self, row: Row) -> T:
        """The object of a row that a page was read from."""
        return self._codec.decode(row[0])

    async def page(self, query: ListQuery, statement: str = "page", **scope: Value) -> Page[T] | None:
        """A page of the objects in scope, None when a cursor is not among them.

        It ends early where its objects are large, and has one object at least.
        """
        after = await self.position(query.after, **scope) if query.after is not None else None
        before = await self.position(query.before, **scope) if query.before is not None else None
        if (after is None) != (query.after is None) or (before is None) != (query.before is None):
            return None
        part = span(query, after, before)
        found, cut_short = await self.between(
            part.low, part.high, query.limit + 1, f"{statement}_{'up' if part.up else 'down'}", **scope
        )
        items, has_more = cut(found, query.limit, turned=part.turned)
        if not items:
            return Page(data=items)
        return Page(data=items, first_id=items[0].id, last_id=items[-1].id, has_more=has_more or cut_short)

    async def position(self, cursor: str, **scope: Value) -> int | None:
        """The position of the object with this id in its list, None if it is not in scope."""
        row = await self._session.row(self._queries["position"], id=cursor, **scope)
        return None if row is None else int(row[0])

    async def between(self, low: int, high: int, limit: int, statement: str, **scope: Value) -> tuple[list[T], bool]:
        """Up to `limit` objects between two positions, exclusive; whether some were left out for their size."""
        return await self.first(statement, low=low, high=high, limit=limit, **scope)


def _first_fitting(rows: Sequence[Row]) -> int:
    """How many of the first rows are decoded at once: as many as a page has, counting the values in them too."""
    # To count every comma is quicker, and accepts nothing too large: most pages are far below the limit.
    if sum(_size(row, _commas) for row in rows) <= _PAGE_SIZE:
        return len(rows)
    return first_within([_size(row, count_separators) for row in rows], _PAGE_SIZE)


def _size(row: Row, separators: Callable[[bytes], int]) -> int:
    """The bytes of a row, and as many for each of its values as take as long."""
    return sum(len(part) + _VALUE_SIZE * separators(part) for part in row if part)


def _commas(part: bytes) -> int:
    return part.count(b",")
