"""A search, on a connection that only reads, in one thread."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from runstead.retrieval.index import fusion
from runstead.retrieval.index.filter_sql import condition
from runstead.retrieval.index.lexical import ENTRY_BITS, Ids, Lexical, all_cut, among, max_list, weigh
from runstead.retrieval.index.port import Hit, IndexedChunk, Query
from runstead.retrieval.index.ranking import Candidates, Found, ranked, shortlist
from runstead.retrieval.index.sqlite.dense import Similar
from runstead.retrieval.index.sqlite.loaded_stores import LoadedStores, View
from runstead.retrieval.index.stored_rows import State, storable
from runstead.retrieval.index.terms import query_terms
from runstead.retrieval.index.unit_vectors import UnitVectors, unit_vectors

__all__ = ["published", "search", "size"]

_STORE = "SELECT number, generation, purged FROM stores WHERE project = ? AND store_id = ?"
_VISIBLE = f"""
  FROM stores AS s JOIN entries AS e ON e.store = s.number
 WHERE s.project = ? AND s.store_id = ? AND e.state = {State.VISIBLE}
"""
_ENTRIES = f"SELECT e.number FROM entries AS e WHERE e.state = {State.VISIBLE}"  # noqa: S608 - a number
_LIST = "SELECT group_concat(rowid) FROM (SELECT rowid FROM postings WHERE postings MATCH ? LIMIT ?)"
_CHUNK = """
SELECT c.start_at, c.end_at, c.text, c.heading, c.place, e.file_id, s.store_id
  FROM chunks AS c JOIN entries AS e ON e.number = c.id >> 20 JOIN stores AS s ON s.number = e.store
 WHERE c.id = ?
"""
_SIZE = f"SELECT coalesce(sum(e.chunks), 0) {_VISIBLE}"
_PUBLISHED = f"SELECT e.file_id, e.version {_VISIBLE}"


def size(connection: sqlite3.Connection, project: str, store_id: str) -> int:
    """The number of visible chunks."""
    chunks: int = connection.execute(_SIZE, (storable(project), storable(store_id))).fetchone()[0]
    return chunks


def published(connection: sqlite3.Connection, project: str, store_id: str) -> Mapping[str, str]:
    """The version of every visible file."""
    return dict(connection.execute(_PUBLISHED, (storable(project), storable(store_id))).fetchall())


def search(connection: sqlite3.Connection, loaded: LoadedStores, query: Query) -> list[Hit]:
    """The hits of a query, all from one state of the file."""
    weights = fusion.exponents(query)
    vector = unit_vectors(query.vector)[0] if query.vector is not None and weights[0] else None
    connection.execute("BEGIN")
    try:
        views = _views(connection, loaded, query, vector)
        if not views or query.limit < 1:
            return []
        visible = np.sort(np.concatenate([view.entries for view in views.values()]))
        allowed = visible if query.filters is None else _allowed(connection, query, list(views), visible)
        terms = query_terms(query.text) if weights[1] else []
        lexical = _lexical(connection, terms, list(views), sum(view.chunks for view in views.values()))
        count = fusion.candidate_count(query.limit)
        only = None if query.filters is None else allowed
        best = lexical.best(allowed, count)
        ids, cosines = _with_cosines(connection, views.values(), vector, only, best, count)
        shortlisted = shortlist(Candidates(ids, cosines, lexical.coverage(ids)), weights, query)
        return ranked(shortlisted, _read(connection, shortlisted.ids), weights, terms, query)
    finally:
        if connection.in_transaction:
            connection.execute("COMMIT")


def _views(
    connection: sqlite3.Connection, loaded: LoadedStores, query: Query, vector: UnitVectors | None
) -> dict[int, View]:
    views = {}
    for store_id in dict.fromkeys(query.store_ids):
        row = connection.execute(_STORE, (storable(query.project), storable(store_id))).fetchone()
        if row is not None:
            number, generation, purged = row
            dimension = None if vector is None else len(vector)
            views[number] = loaded.view(connection, number, generation, purged, dimension)
    return views


def _allowed(connection: sqlite3.Connection, query: Query, stores: Sequence[int], visible: Ids) -> Ids:
    """The entries that the filters let through."""
    assert query.filters is not None
    values: list[str | float | int] = []

    def bind(value: str | float) -> str:
        values.append(value)
        return f"?{len(values)}"

    where = condition(query.filters, "attributes", "e.number", bind)
    places = ", ".join(bind(store) for store in stores)
    found = connection.execute(f"{_ENTRIES} AND e.store IN ({places}) AND {where}", values)
    entries = np.array(sorted(row[0] for row in found), dtype=np.int64)
    return entries[among(entries, visible)]


def _lexical(connection: sqlite3.Connection, terms: Sequence[str], stores: Sequence[int], chunks: int) -> Lexical:
    cut = max_list(chunks) + 1
    lists = {term: _listed(connection, [term], stores, cut) for term in terms}
    if all_cut(lists, chunks):
        lists[" ".join(terms)] = _listed(connection, terms, stores, cut)
    return weigh(lists, chunks)


def _listed(connection: sqlite3.Connection, terms: Sequence[str], stores: Sequence[int], cut: int) -> Ids:
    """The chunks of the stores that have all of these terms, up to a number of them in each store."""
    lists = []
    for store in stores:
        match = " AND ".join('"' + f"{store}:{term}".replace('"', '""') + '"' for term in terms)
        text = connection.execute(_LIST, (match, cut)).fetchone()[0]
        if text:
            lists.append(np.fromstring(text, dtype=np.int64, sep=","))
    if len(lists) == 1:
        return np.asarray(lists[0])
    return np.sort(np.concatenate(lists)) if lists else np.zeros(0, dtype=np.int64)


def _with_cosines(
    connection: sqlite3.Connection,
    views: Iterable[View],
    vector: UnitVectors | None,
    allowed: Ids | None,
    lexical: Ids,
    count: int,
) -> Similar:
    """The candidates of both sides, each with its cosine: those of the lexical side and the most similar ones.

    `allowed` are the entries that a filter lets through.
    """
    found = [Similar(lexical, np.zeros(len(lexical)))]
    if vector is not None:
        for view in views:
            if view.dense is not None:
                found += view.dense.candidates(connection, vector, allowed, lexical, count)
    unique, inverse = np.unique(np.concatenate([part.ids for part in found]), return_inverse=True)
    highest = np.zeros(len(unique))
    np.maximum.at(highest, inverse, np.concatenate([part.cosines for part in found]))
    return Similar(unique, highest)


def _read(connection: sqlite3.Connection, ids: Ids) -> Iterator[Found]:
    for each in ids.tolist():
        row = connection.execute(_CHUNK, (each,)).fetchone()
        if row is not None:
            start, end, text, heading, place, file_id, store_id = row
            number = each & ((1 << ENTRY_BITS) - 1)
            chunk = IndexedChunk(number=number, start=start, end=end, text=text, heading=heading, place=place)
            yield Found(each, store_id, file_id, chunk)
