"""The stores that keep the contract. A new adapter is one more line in `ADAPTERS`."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from runstead.store.port import Store
from runstead.store.sqlite import SqliteStore

__all__ = ["ADAPTERS", "Adapter"]


class Adapter(NamedTuple):
    name: str
    make: Callable[[Path], Store]
    """A store, not started, that keeps what it has in this folder."""
    durable: bool = True
    """What it has is still there when it stopped."""


ADAPTERS = [
    Adapter("sqlite", lambda folder: SqliteStore(folder / "runstead.db")),
    Adapter("memory", lambda _: SqliteStore(":memory:"), durable=False),
]
