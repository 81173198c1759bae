"""A search, in one transaction that sees one state of the database.

Up to so many visible chunks, all vectors of the allowed files are compared. Beyond, pgvector's approximate index is
asked, which goes on until it has enough vectors of these files. It may give up early where they are a small part of a
large database, and then they are compared one by one as well.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runstead.retrieval.index import fusion
from runstead.retrieval.index.filter_sql import condition
from runstead.retrieval.index.lexical import ENTRY_BITS, Ids, Lexical, all_cut, max_list, weigh
from runstead.retrieval.index.port import Hit, IndexedChunk, Query
from runstead.retrieval.index.ranking import Candidates, Found, ranked, shortlist
from runstead.retrieval.index.stored_rows import storable
from runstead.retrieval.index.unit_vectors import UnitVectors

__all__ = ["INDEXED", "published", "search", "size"]

_KINDS: dict[type, str] = {str: "text", float: "float8", int: "int2"}

INDEXED = frozenset({384, 512, 768, 1024, 1536, 3072})
"""Dimensions that have an approximate index. Vectors of others are always compared one by one."""

_STORES = """
SELECT s.number, coalesce((SELECT sum(e.chunks) FROM index_entries AS e WHERE e.store = s.number AND e.state = 1), 0)
  FROM index_stores AS s WHERE s.project = $1 AND s.store_id = ANY($2)
"""
_ENTRIES = "SELECT e.number, e.chunks FROM index_entries AS e WHERE e.store = ANY($1) AND e.state = 1"
_LISTS = """
SELECT wanted.place, string_agg(int8send(listed.id), '') AS ids
  FROM unnest($1::text[]) WITH ORDINALITY AS wanted (match, place),
       LATERAL (SELECT c.id FROM index_chunks AS c WHERE c.terms @@ wanted.match::tsquery LIMIT $2) AS listed
 GROUP BY wanted.place
"""
_COSINES = "SELECT id, -(embedding <#> $1) FROM index_vectors WHERE id = ANY($2) AND dimension = $3"
_EXACT = """
SELECT id, -(embedding <#> $1) FROM index_vectors
 WHERE entry = ANY($2) AND dimension = $4 ORDER BY embedding <#> $1 LIMIT $3
"""
_APPROXIMATE = """
SELECT id, -(embedding::halfvec(:d) <#> $1) FROM index_vectors
 WHERE entry = ANY($2) AND dimension = :d ORDER BY embedding::halfvec(:d) <#> $1 LIMIT $3
"""
_APPROXIMATELY = """
SET LOCAL hnsw.iterative_scan = relaxed_order;
SET LOCAL hnsw.ef_search = 200;
SET LOCAL hnsw.max_scan_tuples = 40000;
SET LOCAL enable_sort = off;
SET LOCAL enable_bitmapscan = off;
"""
_READ = """
SELECT c.id, s.store_id, e.file_id, c.start_at, c.end_at, c.text, c.heading, c.place
  FROM index_chunks AS c JOIN index_entries AS e ON e.number = c.id >> 20 JOIN index_stores AS s ON s.number = e.store
 WHERE c.id = ANY($1)
"""
_VISIBLE = """
  FROM index_stores AS s JOIN index_entries AS e ON e.store = s.number
 WHERE s.project = $1 AND s.store_id = $2 AND e.state = 1
"""


async def size(connection: Any, project: str, store_id: str) -> int:
    """The number of visible chunks."""
    return int(
        await connection.fetchval(
            f"SELECT coalesce(sum(e.chunks), 0) {_VISIBLE}",
            storable(project),
            storable(store_id),
        )
    )


async def published(connection: Any, project: str, store_id: str) -> Mapping[str, str]:
    """The version of every visible file."""
    rows = await connection.fetch(
        f"SELECT e.file_id, e.version {_VISIBLE}",
        storable(project),
        storable(store_id),
    )
    return {row[0]: row[1] for row in rows}


async def search(
    connection: Any, query: Query, terms: Sequence[str], vector: UnitVectors | None, exact: int
) -> list[Hit]:
    """The hits of a query. Up to `exact` chunks, vectors are compared one by one."""
    weights = fusion.exponents(query)
    rows = await connection.fetch(_STORES, storable(query.project), [storable(each) for each in query.store_ids])
    stores, chunks = [row[0] for row in rows], int(sum(row[1] for row in rows))
    if not stores or query.limit < 1:
        return []
    entries, reachable = await _allowed(connection, query, stores)
    lexical = await _lexical(connection, terms, stores, chunks)
    count = fusion.candidate_count(query.limit)
    ids = await asyncio.to_thread(lexical.best, entries, count)
    cosines = np.zeros(len(ids))
    if vector is not None and len(entries):
        dense = _Dense(connection, vector, entries, count)
        similar = await dense.approximate() if reachable > exact and len(vector) in INDEXED else None
        if similar is None or len(similar) < min(count, reachable):
            similar = await dense.exact()
        ids, cosines = await dense.joined(ids, similar)
    shortlisted = shortlist(Candidates(ids, cosines, lexical.coverage(ids)), weights, query)
    found = [_found(row) for row in await connection.fetch(_READ, shortlisted.ids.tolist())]
    return await asyncio.to_thread(ranked, shortlisted, found, weights, terms, query)


async def _allowed(connection: Any, query: Query, stores: Sequence[int]) -> tuple[Ids, int]:
    """The visible entries that the filters let through, and the number of their chunks."""
    values: list[Any] = [stores]

    def bind(value: str | float) -> str:
        values.append(value)
        kind = _KINDS[type(value)]
        return f"${len(values)}::{kind}"

    where = "" if query.filters is None else f" AND {condition(query.filters, 'index_attributes', 'e.number', bind)}"
    rows = await connection.fetch(f"{_ENTRIES}{where}", *values)
    return np.array(sorted(row[0] for row in rows), dtype=np.int64), sum(row[1] for row in rows)


async def _lexical(connection: Any, terms: Sequence[str], stores: Sequence[int], chunks: int) -> Lexical:
    cut = max_list(chunks) + 1
    found = await _listed(connection, [_match(term, stores) for term in terms], cut)
    lists = dict(zip(terms, found, strict=True))
    if all_cut(lists, chunks):
        together = " & ".join(f"({_match(term, stores)})" for term in terms)
        (lists[" ".join(terms)],) = await _listed(connection, [together], cut)
    return weigh(lists, chunks)


async def _listed(connection: Any, matches: Sequence[str], cut: int) -> list[Ids]:
    """The chunks that each full-text query matches, up to `cut` of them."""
    rows = await connection.fetch(_LISTS, matches, cut) if matches else []
    lists = {row["place"]: np.frombuffer(row["ids"], dtype=">i8").astype(np.int64) for row in rows}
    return [np.sort(lists.get(place, np.zeros(0, dtype=np.int64))) for place in range(1, len(matches) + 1)]


def _match(term: str, stores: Sequence[int]) -> str:
    """A full-text query for a term in any of the stores. The term is quoted, so nothing in it is syntax."""
    quoted = term.replace("\\", "\\\\").replace("'", "''")
    return " | ".join(f"'{store}:{quoted}'" for store in stores)


class _Dense:
    """The dense side of one search."""

    def __init__(self, connection: Any, vector: UnitVectors, entries: Ids, count: int) -> None:
        self._connection = connection
        self._vector = vector
        self._entries = entries.tolist()
        self._count = count

    async def exact(self) -> list[tuple[int, float]]:
        """The most similar chunks."""
        found: list[tuple[int, float]] = await self._connection.fetch(
            _EXACT, self._vector, self._entries, self._count, len(self._vector)
        )
        return found

    async def approximate(self) -> list[tuple[int, float]]:
        """Almost the most similar chunks; fewer than asked for if the index gave up."""
        await self._connection.execute(_APPROXIMATELY)
        found: list[tuple[int, float]] = await self._connection.fetch(
            _APPROXIMATE.replace(":d", str(len(self._vector))), self._vector, self._entries, self._count
        )
        await self._connection.execute("SET LOCAL enable_sort = on; SET LOCAL enable_bitmapscan = on")
        return found

    async def joined(self, ids: Ids, similar: list[tuple[int, float]]) -> tuple[Ids, NDArray[np.float64]]:
        """The candidates of both sides, with the cosine of each that has a vector."""
        cosines = dict.fromkeys(ids.tolist(), 0.0)
        rows = await self._connection.fetch(_COSINES, self._vector, ids.tolist(), len(self._vector))
        cosines |= {row[0]: row[1] for row in (*rows, *similar)}
        together = np.array(sorted(cosines), dtype=np.int64)
        return together, np.array([cosines[each] for each in together.tolist()])


def _found(row: Any) -> Found:
    each, store_id, file_id, start, end, text, heading, place = row
    number = each & ((1 << ENTRY_BITS) - 1)
    chunk = IndexedChunk(number=number, start=start, end=end, text=text, heading=heading, place=place)
    return Found(each, store_id, file_id, chunk)
