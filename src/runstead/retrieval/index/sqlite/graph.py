"""An approximate index of a large store's vectors: a graph in a file beside the index file.

A scan of very many vectors takes too long, so those of a large store are put into an HNSW graph. It is written once and
mapped into memory, so the pages that searches need are in memory and the system may drop them. What was published after
the graph was written is scanned. What was removed is skipped. The file is derived, like everything here: a missing or
damaged one is written anew, and meanwhile the store is scanned.
"""

import logging
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from usearch.index import Index

from runstead.retrieval.index.lexical import Ids, among, entries_of
from runstead.retrieval.index.unit_vectors import UnitVectors

__all__ = ["Graph", "GraphRow", "new_graph", "read_graph_row", "write_graph"]

_log = logging.getLogger("runstead.index")

_CONNECTIVITY = 16
_EXPANSION_ADD = 128
_EXPANSION_SEARCH = 192
_BATCH = 500
_PIECE = 1 << 20
_MARGIN = 1.5
_MAX_NEIGHBOURS = 20_000
_READ = "SELECT name, bytes, checksum, entries FROM graphs WHERE store = ? AND dimension = ?"


class GraphRow(NamedTuple):
    """The row of a graph in the index file."""

    name: str
    """Of its file, which lies beside the index file."""
    size: int
    checksum: int
    entries: Ids
    """The entries whose vectors are in it."""


class Graph:
    """A graph that is written. For any number of threads."""

    def __init__(self, index: Index, row: GraphRow) -> None:
        self._index = index
        self._lock = threading.Lock()
        self.name = row.name
        self.entries = row.entries

    @classmethod
    def open(cls, folder: Path, row: GraphRow, *, dimension: int, writable: bool = False) -> "Graph | None":
        """The graph in a file; None if the file is missing or damaged."""
        path = folder / row.name
        try:
            if path.stat().st_size != row.size or _checksum(path) != row.checksum:
                raise ValueError("its contents have changed")
            index = Index.restore(path, view=not writable, expansion_search=_EXPANSION_SEARCH)
            if index is None or index.ndim != dimension:
                raise ValueError("it has other vectors")
        except (OSError, ValueError, RuntimeError) as error:
            _log.warning("a graph of the search index is written anew: %s", error, extra={"path": str(path)})
            return None
        return cls(index, row)

    def __len__(self) -> int:
        return len(self._index)

    def best(self, vector: UnitVectors, allowed: Ids, share: float, count: int) -> tuple[Ids, NDArray[np.float64]]:
        """About the `count` most similar chunks of the allowed entries, with their cosines.

        `share` is the part of the graph that they are, which says how many neighbours are looked at.
        """
        wanted = min(len(self), int(_MARGIN * count / max(share, 1e-3)) + 1)
        while True:
            with self._lock:
                matches = self._index.search(vector, wanted, threads=1)
            ids = np.asarray(matches.keys).astype(np.int64)
            kept = np.flatnonzero(among(entries_of(ids), allowed))[:count]
            if len(kept) >= count or wanted >= min(len(self), _MAX_NEIGHBOURS):
                return ids[kept], 1 - np.asarray(matches.distances, dtype=np.float64)[kept]
            wanted = min(len(self), 4 * wanted)  # the allowed ones are further away than most

    def cosines(self, vector: UnitVectors, ids: Ids) -> tuple[Ids, NDArray[np.float64]]:
        """Those of the chunks that are in the graph, with their cosines."""
        known = ids[among(entries_of(ids), self.entries)]
        if not len(known):
            return known, np.zeros(0)
        with self._lock:
            known = known[np.atleast_1d(np.asarray(self._index.contains(known.astype(np.uint64))))]
            rows = np.asarray(self._index.get(known.astype(np.uint64), dtype="f32")).reshape(-1, len(vector))
        return known, np.asarray(rows.astype(np.float64) @ vector.astype(np.float64))

    def add(self, ids: Ids, rows: UnitVectors) -> Iterator[None]:
        """Add vectors to a writable graph, some at each step."""
        for first in range(0, len(ids), _BATCH):
            part = slice(first, first + _BATCH)
            self._index.add(ids[part].astype(np.uint64), rows[part], threads=1)
            yield

    def save(self, path: Path) -> None:
        """Write a writable graph to a file."""
        self._index.save(str(path))


def new_graph(dimension: int) -> Graph:
    """An empty graph, which is writable."""
    index = Index(
        ndim=dimension,
        metric="ip",
        dtype="f16",
        connectivity=_CONNECTIVITY,
        expansion_add=_EXPANSION_ADD,
        expansion_search=_EXPANSION_SEARCH,
    )
    return Graph(index, GraphRow("", 0, 0, np.zeros(0, dtype=np.int64)))


def read_graph_row(connection: sqlite3.Connection, store: int, dimension: int) -> GraphRow | None:
    """The graph of a store's vectors of one dimension, if it has one."""
    row = connection.execute(_READ, (store, dimension)).fetchone()
    if row is None:
        return None
    name, size, checksum, entries = row
    return GraphRow(name, size, checksum, np.frombuffer(entries, dtype=np.int64))


def write_graph(graph: Graph, path: Path, entries: Iterable[int]) -> GraphRow:
    """Write a graph to a new file."""
    path.touch(mode=0o600)
    graph.save(path)
    return GraphRow(path.name, path.stat().st_size, _checksum(path), np.array(sorted(entries), dtype=np.int64))


def _checksum(path: Path) -> int:
    """Of all bytes: a damaged file must not be mapped, because the library trusts its contents."""
    checksum = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            checksum = zlib.crc32(piece, checksum)
    return checksum
