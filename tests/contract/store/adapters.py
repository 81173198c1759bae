"""The stores that keep the contract. A new adapter is one more line in `ADAPTERS`."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from runstead.store.port import Store
from runstead.store.postgres import PostgresStore
from runstead.store.sqlite import SqliteStore
from tests.support.postgres import place, server

__all__ = ["ADAPTERS", "Adapter"]


class Adapter(NamedTuple):
    name: str
    make: Callable[[Path], Store]
    """A store, not started, whose place is this folder, or named after it."""
    durable: bool = True
    """Its data outlive a stop."""
    sole: bool = True
    """It belongs to one process at a time."""


ADAPTERS = [
    Adapter("sqlite", lambda folder: SqliteStore(folder / "runstead.db")),
    Adapter("memory", lambda _: SqliteStore(":memory:"), durable=False),
    Adapter("postgres", lambda folder: PostgresStore(server().url, schema=place(folder)), sole=False),
]
