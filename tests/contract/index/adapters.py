"""The indexes that keep the contract. A new adapter is one more line in `ADAPTERS`."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import asyncpg

from runstead.retrieval.index.port import Index
from runstead.retrieval.index.postgres import PostgresIndex
from runstead.retrieval.index.sqlite import SqliteIndex
from runstead.store.postgres.upgrade import upgrade
from tests.support.postgres import server

__all__ = ["ADAPTERS", "Adapter"]


class Adapter(NamedTuple):
    name: str
    make: Callable[[Path], Index]
    """An index, not started, whose place is this folder, or named after it."""
    prepare: Callable[[Path], Awaitable[object]]
    """Makes the place, before the first index is started over it."""


async def _nothing(folder: Path) -> None:
    pass


_SCHEMA = "test_index"
_migrated: list[str] = []


async def _emptied(folder: Path) -> None:
    """The tests of a process share one schema, because its migrations take longer than most tests."""
    if not _migrated:
        _migrated.extend(await upgrade(server().url, _SCHEMA, check=False))
    connection = await asyncpg.connect(server().url, server_settings={"search_path": _SCHEMA})
    for table in ("vectors", "chunks", "attributes", "entries", "stores"):
        await connection.execute(f"DELETE FROM index_{table}")
    await connection.close()


ADAPTERS = [
    Adapter("sqlite", lambda folder: SqliteIndex(folder / "runstead-index.db"), _nothing),
    Adapter("postgres", lambda _: PostgresIndex(server().url, schema=_SCHEMA), _emptied),
]
