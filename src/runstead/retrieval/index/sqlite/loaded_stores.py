"""Vector stores in memory: their visible entries and their vectors, kept between searches.

Each store is brought up to date at the beginning of a search, by the generation that its row has in the file. So
another process may write. Stores that were not searched for the longest time are dropped when the vectors in memory
exceed the limit.
"""

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from runstead.retrieval.index.lexical import Ids
from runstead.retrieval.index.sqlite.dense import Dense
from runstead.retrieval.index.sqlite.graph import Graph, read_graph_row
from runstead.retrieval.index.sqlite.loaded_vectors import LoadedVectors
from runstead.retrieval.index.stored_rows import State

__all__ = ["LoadedStores", "View"]

_GRAPH = "SELECT name FROM graphs WHERE store = ? AND dimension = ?"
_CHANGED = "SELECT number, chunks, state FROM entries WHERE store = ? AND changed > ?"


class View(NamedTuple):
    """The visible part of a store at one moment."""

    entries: Ids
    chunks: int
    dense: Dense | None
    """None where no vectors were asked for."""


class _LoadedStore:
    def __init__(self, number: int, folder: Path, damaged: Callable[[int], None]) -> None:
        self._number = number
        self._folder = folder
        self._damaged = damaged
        self._lock = threading.Lock()
        self._generation = -1
        self._chunks: dict[int, int] = {}
        """The number of chunks of each visible entry."""
        self._entries = np.zeros(0, dtype=np.int64)
        self._sizes = np.zeros(0, dtype=np.int64)
        self._vectors: dict[int, LoadedVectors] = {}
        self._graphs: dict[int, tuple[str, Graph | None]] = {}
        """The name of the last graph of each dimension, and the graph if it could be opened."""
        self._given: dict[int, tuple[int, Dense]] = {}
        """The last view of the vectors of each dimension, and its generation."""

    @property
    def size(self) -> int:
        return sum(vectors.size for vectors in list(self._vectors.values()))

    def view(self, connection: sqlite3.Connection, generation: int, purged: int, dimension: int | None) -> View:
        with self._lock:
            if self._generation < generation:
                self._refresh(connection, generation, purged)
            dense = None if dimension is None else self._dense(connection, dimension)
            return View(self._entries, int(self._sizes.sum()), dense)

    def _dense(self, connection: sqlite3.Connection, dimension: int) -> Dense:
        graph = self._graph(connection, dimension)
        generation, given = self._given.get(dimension, (-1, None))
        if given is not None and generation == self._generation and given.graph is graph:
            return given
        scanned = set(self._chunks) if graph is None else set(self._chunks).difference(graph.entries.tolist())
        rows = self._vectors.setdefault(dimension, LoadedVectors(dimension)).rows(connection, scanned)
        dense = Dense(rows, graph, self._entries, self._sizes)
        self._given[dimension] = (self._generation, dense)
        return dense

    def _graph(self, connection: sqlite3.Connection, dimension: int) -> Graph | None:
        """The graph as the index file names it. One that cannot be opened is reported once."""
        name, graph = self._graphs.get(dimension, ("", None))
        found = connection.execute(_GRAPH, (self._number, dimension)).fetchone()
        if found is None or found[0] == name:
            return graph
        row = read_graph_row(connection, self._number, dimension)
        graph = None if row is None else Graph.open(self._folder, row, dimension=dimension)
        self._graphs[dimension] = (found[0], graph)
        if graph is None:
            self._damaged(self._number)
        return graph

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
        self._entries = np.array(sorted(self._chunks), dtype=np.int64)
        self._sizes = np.array([self._chunks[entry] for entry in self._entries.tolist()], dtype=np.int64)


class LoadedStores:
    """The stores that were searched last. For any number of threads."""

    def __init__(self, limit: int, folder: Path, damaged: Callable[[int], None]) -> None:
        """`limit` is the number of bytes that vectors may take. One store is kept even if it has more.

        `folder` has the graphs, and `damaged` is called with the number of a store whose graph cannot be opened.
        """
        self._folder = folder
        self._damaged = damaged
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
            store = self._stores.setdefault(number, _LoadedStore(number, self._folder, self._damaged))
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
