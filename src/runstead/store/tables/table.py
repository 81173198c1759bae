"""One table of wire objects: a few columns to find them by, and the object itself as JSON in `body`."""

from collections.abc import Mapping
from typing import Generic, Protocol, TypeVar

import msgspec

from runstead.store.tables.pagination import Place, cut, span
from runstead.store.tables.session import Session, Value
from runstead.wire.page import ListQuery, Page

__all__ = ["Listed", "Table", "encode"]

encode = msgspec.json.Encoder().encode


class Listed(Protocol):
    """What every listed object has."""

    @property
    def id(self) -> str: ...
    @property
    def created_at(self) -> int: ...


T = TypeVar("T", bound=Listed)


class Table(Generic[T]):
    """Those of the statements `get insert replace delete place page_up page_down` that a table has, and its pages."""

    def __init__(self, session: Session, queries: Mapping[str, str], kind: type[T]) -> None:
        self._session = session
        self._queries = queries
        self._decode = msgspec.json.Decoder(kind).decode

    async def get(self, **key: Value) -> T | None:
        row = await self._session.row(self._queries["get"], **key)
        return None if row is None else self._decode(row[0])

    async def insert(self, item: T, **columns: Value) -> None:
        await self._session.execute(
            self._queries["insert"], id=item.id, created_at=item.created_at, body=encode(item), **columns
        )

    async def replace(self, item: T, **key: Value) -> bool:
        row = await self._session.row(self._queries["replace"], id=item.id, body=encode(item), **key)
        return row is not None

    async def delete(self, **key: Value) -> bool:
        return await self._session.row(self._queries["delete"], **key) is not None

    async def all(self, name: str, **values: Value) -> list[T]:
        """The objects that a statement finds."""
        return [self._decode(row[0]) for row in await self._session.rows(self._queries[name], **values)]

    async def page(self, query: ListQuery, statement: str = "page", **scope: Value) -> Page[T] | None:
        """A page of the objects in scope, None when a cursor is not among them."""
        after = await self.place(query.after, **scope) if query.after is not None else None
        before = await self.place(query.before, **scope) if query.before is not None else None
        if (after is None) != (query.after is None) or (before is None) != (query.before is None):
            return None
        part = span(query, after, before)
        found = await self.between(
            part.low, part.high, query.limit + 1, f"{statement}_{'up' if part.up else 'down'}", **scope
        )
        items, has_more = cut(found, query.limit, turned=part.turned)
        if not items:
            return Page(data=items)
        return Page(data=items, first_id=items[0].id, last_id=items[-1].id, has_more=has_more)

    async def place(self, cursor: str, **scope: Value) -> Place | None:
        """Where the object with this id stands, None if it is not in scope."""
        row = await self._session.row(self._queries["place"], id=cursor, **scope)
        return None if row is None else Place(*row)

    async def between(self, low: Place, high: Place, limit: int, statement: str, **scope: Value) -> list[T]:
        """Up to `limit` objects between two places, both exclusive."""
        return await self.all(
            statement,
            low_time=low.created_at,
            low_seq=low.seq,
            high_time=high.created_at,
            high_seq=high.seq,
            limit=limit,
            **scope,
        )
