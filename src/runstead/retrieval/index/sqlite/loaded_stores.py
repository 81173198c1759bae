"""What searches keep in memory: which entries of a store are visible, and its vectors.

Each store is brought up to date at the beginning of a search, by the generation that its row has in the file. So
another process may write. Stores that were not searched for the longest time are dropped when the vectors in memory
exceed the limit.
"""

import sqlite3
import threading
from collections import OrderedDict
from typing import NamedTuple

import numpy as np

from runstead.retrieval.index.lexical import Ids
from runstead.retrieval.index.sqlite.loaded_vectors import LoadedVectors, Rows
from runstead.retrieval.index.state import State

__all__ = ["LoadedStores", "View"]

_CHANGED = "SELECT number, chunks, state FROM entries WHERE store = ? AND changed > ?"


class View(NamedTuple):
    """The visible part of a store at one moment."""

    entries: Ids
    chunks: int
    rows: Rows | None
    """None where no vectors were asked for."""


class _LoadedStore:
    def __init__(self, number: int) -> None:
        self._number = number
        self._lock = threading.Lock()
        self._generation = -1
        self._chunks: dict[int, int] = {}
        """The number of chunks of each visible entry."""
        self._sorted = np.zeros(0, dtype=np.int64)
        self._vectors: dict[int, LoadedVectors] = {}

    @property
    def size(self) -> int:
        return sum(vectors.size for vectors in list(self._vectors.values()))

    def view(self, connection: sqlite3.Connection, generation: int, purged: int, dimension: int | None) -> View:
        with self._lock:
            if self._generation < generation:
                self._refresh(connection, generation, purged)
            rows = None
            if dimension is not None:
                vectors = self._vectors.setdefault(dimension, LoadedVectors(dimension))
                rows = vectors.rows(connection, set(self._chunks))
            return View(self._sorted, sum(self._chunks.values()), rows)

    def _refresh(self, connection: sqlite3.Connection, generation: int, purged: int) -> None:
        if self._generation < purged:  # a removed entry may have vanished with its mark
            self._chunks.clear()
            self._generation = -1
        for number, chunks, state in connection.execute(_CHANGED, (self._number, self._generation)):
            if state == State.VISIBLE:
                self._chunks[number] = chunks
            else:
                self._chunks.pop(number, None)
        self._generation = generation
        self._sorted = np.array(sorted(self._chunks), dtype=np.int64)


class LoadedStores:
    """The stores that were searched last. For any number of threads."""

    def __init__(self, limit: int) -> None:
        """`limit` is the number of bytes that vectors may take. One store is kept even if it has more."""
        self._limit = limit
        self._lock = threading.Lock()
        self._stores: OrderedDict[int, _LoadedStore] = OrderedDict()

    @property
    def size(self) -> int:
        """Bytes of all vectors in memory."""
        with self._lock:
            return sum(store.size for store in self._stores.values())

    def view(
        self, connection: sqlite3.Connection, number: int, generation: int, purged: int, dimension: int | None
    ) -> View:
        """The store as it is at this generation, or later; with its vectors of a dimension, if one is given."""
        with self._lock:
            store = self._stores.setdefault(number, _LoadedStore(number))
            self._stores.move_to_end(number)
        view = store.view(connection, generation, purged, dimension)
        self._drop_oldest()
        return view

    def drop(self, number: int) -> None:
        """Forget a store."""
        with self._lock:
            self._stores.pop(number, None)

    def _drop_oldest(self) -> None:
        with self._lock:
            while len(self._stores) > 1 and sum(store.size for store in self._stores.values()) > self._limit:
                self._stores.popitem(last=False)
