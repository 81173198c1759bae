"""Writes the graphs of large stores, in a thread of its own and behind everything else.

A graph is extended when many vectors were published after it was written, and written from nothing when many of its
own were removed, or its file is missing or damaged.
"""

import logging
import os
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import TypeAlias

from runstead.retrieval.index.sqlite.file import IndexFile
from runstead.retrieval.index.sqlite.graph import Graph, GraphRow, new_graph, read_graph_row, write_graph
from runstead.retrieval.index.sqlite.loaded_vectors import read_rows
from runstead.retrieval.index.stored_rows import State
from runstead.wire.error import RunsteadError

__all__ = ["GraphBuilder", "sweep"]

_log = logging.getLogger("runstead.index")

_NICE = 10
_DEAD_SHARE = 0.3
_ENTRIES_AT_ONCE = 100
_VISIBLE = f"SELECT number, chunks FROM entries WHERE store = ? AND state = {State.VISIBLE}"  # noqa: S608 - a number
_DIMENSIONS = "SELECT DISTINCT dimension FROM vectors WHERE entry IN (SELECT number FROM entries WHERE store = ?)"

Commit: TypeAlias = Callable[[int, int, GraphRow], None]
"""Stores the row of a new graph, of a store and a dimension, and returns when it is committed."""


class GraphBuilder:
    """Builds one graph at a time. `consider` may be called from any thread."""

    def __init__(self, file: IndexFile, limit: int, commit: Commit) -> None:
        """Stores of more than `limit` chunks get a graph."""
        self._file = file
        self._limit = limit
        self._commit = commit
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="index-graph", initializer=_yield_to_others)
        self._lock = threading.Lock()
        self._queued: dict[int, bool] = {}
        """The stores to consider, and whether the graph of each is damaged."""
        self._closing = threading.Event()

    def consider(self, store: int, *, damaged: bool = False) -> None:
        """Build the graph of a store if it needs one. A graph that is said to be damaged is looked at."""
        with self._lock:
            if self._closing.is_set():
                return
            queued = store in self._queued
            self._queued[store] = damaged or self._queued.get(store, False)
            if not queued:
                self._thread.submit(self._consider, store)

    def close(self) -> None:
        """Stop building. A graph that is not finished is begun again another time."""
        with self._lock:
            self._closing.set()
        self._thread.shutdown()

    def _consider(self, store: int) -> None:
        with self._lock:
            damaged = self._queued.pop(store)
        try:
            with self._file.errors("read"), closing(self._file.connect(reading=True)) as connection:
                chunks = dict(connection.execute(_VISIBLE, (store,)).fetchall())
                if sum(chunks.values()) > self._limit:
                    for (dimension,) in connection.execute(_DIMENSIONS, (store,)).fetchall():
                        self._update(connection, store, dimension, chunks, damaged=damaged)
                if not chunks:  # the store was removed
                    sweep(self._file)
        except (RunsteadError, OSError, RuntimeError) as error:
            _log.warning("a graph of the search index was not written", extra={"error": str(error)})

    def _update(
        self, connection: sqlite3.Connection, store: int, dimension: int, chunks: dict[int, int], *, damaged: bool
    ) -> None:
        """Write the graph anew if too much is missing in it, or it cannot be used."""
        row = read_graph_row(connection, store, dimension)
        folder = self._file.path.parent
        known = set() if row is None else set(row.entries.tolist())
        missing = sum(count for entry, count in chunks.items() if entry not in known)
        usable = row is not None and not (damaged and Graph.open(folder, row, dimension=dimension) is None)
        if usable and missing <= self._limit // 2:
            return
        graph = None
        if usable and row is not None and len(known - chunks.keys()) <= _DEAD_SHARE * len(known):
            graph = Graph.open(folder, row, dimension=dimension, writable=True)
        if graph is None:
            graph, known = new_graph(dimension), set()
        new = sorted(chunks.keys() - known)
        for first in range(0, len(new), _ENTRIES_AT_ONCE):
            ids, rows = read_rows(connection, new[first : first + _ENTRIES_AT_ONCE], dimension)
            for _ in graph.add(ids, rows):
                if self._closing.is_set():
                    return
        path = folder / f"{self._file.path.name}.graph-{store}-{dimension}-{os.urandom(4).hex()}"
        self._commit(store, dimension, write_graph(graph, path, known | set(new)))
        sweep(self._file)
        _log.info("a graph of the search index was written", extra={"path": str(path), "vectors": len(graph)})


def sweep(file: IndexFile) -> None:
    """Delete the files of graphs that were replaced, or never finished."""
    with closing(file.connect(reading=True)) as connection:
        used = {row[0] for row in connection.execute("SELECT name FROM graphs")}
    for path in file.path.parent.glob(f"{file.path.name}.graph-*"):
        if path.name not in used:
            path.unlink(missing_ok=True)


def _yield_to_others() -> None:
    """Lower the priority of this thread, where the system has priorities of threads."""
    with suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
