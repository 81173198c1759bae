"""The dense side of a search over one store: its rows are scanned, and its graph is asked."""

import sqlite3
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from runstead.retrieval.index.lexical import Ids, among, entries_of
from runstead.retrieval.index.sqlite.graph import Graph
from runstead.retrieval.index.sqlite.loaded_vectors import Rows, best_rows, cosines, read_rows
from runstead.retrieval.index.unit_vectors import UnitVectors

__all__ = ["Dense", "Similar"]

_FEW = 20_000
"""Chunks of a graph that a filter may leave so that they are read and compared one by one."""


class Similar(NamedTuple):
    """Chunks with their cosines."""

    ids: Ids
    cosines: NDArray[np.float64]


class Dense(NamedTuple):
    """The vectors of one store."""

    rows: Rows
    """Those that are not in the graph."""
    graph: Graph | None
    entries: Ids
    """The visible entries of the store."""
    sizes: Ids
    """The number of chunks of each of them."""

    def candidates(
        self, connection: sqlite3.Connection, vector: UnitVectors, allowed: Ids | None, lexical: Ids, count: int
    ) -> list[Similar]:
        """The most similar chunks, `count` or more, and those of the `lexical` ones that have vectors.

        `allowed` are the entries that a filter lets through.
        """
        found = []
        if len(self.rows.ids):
            scores = cosines(vector, self.rows.matrix)
            alive = self.rows.alive if allowed is None else among(entries_of(self.rows.ids), allowed) & self.rows.alive
            chosen = (self.rows.places(lexical), best_rows(scores, alive, count))
            found += [Similar(self.rows.ids[places], scores[places]) for places in chosen]
        if self.graph is not None:
            found.append(Similar(*self.graph.cosines(vector, lexical)))
            found.append(self._in_graph(self.graph, connection, vector, allowed, count))
        return found

    def _in_graph(
        self, graph: Graph, connection: sqlite3.Connection, vector: UnitVectors, allowed: Ids | None, count: int
    ) -> Similar:
        reachable = among(self.entries, graph.entries)
        if allowed is not None:
            reachable &= among(self.entries, allowed)
        chunks = int(self.sizes[reachable].sum())
        if chunks > min(_FEW, len(graph) // 2):
            return Similar(*graph.best(vector, self.entries[reachable], chunks / len(graph), count))
        ids, matrix = read_rows(connection, self.entries[reachable].tolist(), len(vector))
        scores = cosines(vector, matrix)
        best = best_rows(scores, np.ones(len(ids), dtype=bool), count)
        return Similar(ids[best], scores[best])
