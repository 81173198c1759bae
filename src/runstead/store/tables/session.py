"""What the collections need of a database: statements, run in the transaction that is open."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TypeAlias

__all__ = ["Row", "Session", "Value"]

Value: TypeAlias = str | int | bytes | None
Row: TypeAlias = tuple[Any, ...]


class Session(Protocol):
    """One connection, inside a transaction. Statements take values by name; those they do not name are ignored."""

    async def row(self, sql: str, **values: Value) -> Row | None:
        """The first row, if there is one."""
        ...

    async def rows(self, sql: str, **values: Value) -> list[Row]: ...
    async def execute(self, sql: str, **values: Value) -> None: ...
    async def execute_many(self, sql: str, rows: Iterable[Mapping[str, Value]]) -> None: ...
