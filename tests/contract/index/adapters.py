"""The indexes that keep the contract. A new adapter is one more line in `ADAPTERS`."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from runstead.retrieval.index.port import Index
from runstead.retrieval.index.sqlite import SqliteIndex

__all__ = ["ADAPTERS", "Adapter"]


class Adapter(NamedTuple):
    name: str
    make: Callable[[Path], Index]
    """An index, not started, whose place is this folder, or named after it."""


ADAPTERS = [
    Adapter("sqlite", lambda folder: SqliteIndex(folder / "runstead-index.db")),
]
