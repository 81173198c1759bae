"""The transactions of the writer. Each function is the work of one transaction."""

import sqlite3
from collections.abc import Iterable, Sequence

import numpy as np

from runstead.retrieval.index.filter_sql import attribute_rows
from runstead.retrieval.index.lexical import ENTRY_BITS, chunk_id
from runstead.retrieval.index.port import Attributes, Entry, EntryRemoved, IndexedChunk, Vectors
from runstead.retrieval.index.sqlite.graph import GraphRow
from runstead.retrieval.index.stored_rows import State, storable, storable_or_none
from runstead.retrieval.index.terms import document_terms
from runstead.retrieval.index.unit_vectors import UnitVectors, unit_vectors
from runstead.wire.error import RunsteadError

__all__ = ["add", "discard", "publish", "purge", "remove_file", "remove_store", "set_attributes", "write_graph_row"]

_PORTION = 200
"""Chunks that one transaction deletes."""

_FIND_STORE = "SELECT number FROM stores WHERE project = ? AND store_id = ?"
_MAKE_ENTRY = """
INSERT INTO entries (store, file_id, version)
SELECT number, ?3, ?4 FROM stores WHERE project = ?1 AND store_id = ?2
    ON CONFLICT DO NOTHING
"""
_FIND_ENTRY = f"""
SELECT s.number, e.number, e.state FROM stores AS s JOIN entries AS e ON e.store = s.number
 WHERE s.project = ? AND s.store_id = ? AND e.file_id = ? AND e.version = ?
   AND e.state IN ({State.STAGED}, {State.VISIBLE})
"""  # noqa: S608 - two numbers
_REMOVE = f"""
UPDATE entries SET state = CASE state WHEN {State.VISIBLE} THEN {State.REMOVED} ELSE {State.DISCARDED} END, changed = ?
 WHERE state IN ({State.STAGED}, {State.VISIBLE}) AND store = ?
"""  # noqa: S608 - numbers
_NEXT_GENERATION = "UPDATE stores SET generation = generation + 1 WHERE number = ? RETURNING generation"


def add(
    connection: sqlite3.Connection, entry: Entry, chunks: Sequence[IndexedChunk], vectors: "Vectors | None"
) -> None:
    """Write chunks of a staged entry."""
    connection.execute(
        "INSERT INTO stores (project, store_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (storable(entry.project), storable(entry.store_id)),
    )
    connection.execute(_MAKE_ENTRY, _named(entry))
    store, number, state = _open_entry(connection, entry)
    if state != State.STAGED:
        raise RunsteadError(f"the entry {entry.version} of {entry.file_id} in {entry.store_id} is published already")
    rows = [(chunk_id(number, chunk.number), chunk) for chunk in chunks]
    replaced = [row for row, _ in rows if connection.execute("SELECT 1 FROM chunks WHERE id = ?", (row,)).fetchone()]
    if replaced:
        _delete_chunks(connection, store, replaced)
        _delete_vectors(connection, number, replaced)
    connection.executemany(
        "INSERT INTO chunks (id, start_at, end_at, text, heading, place) VALUES (?, ?, ?, ?, ?, ?)",
        (
            (row, each.start, each.end, storable(each.text), storable(each.heading), storable_or_none(each.place))
            for row, each in rows
        ),
    )
    connection.executemany(
        "INSERT INTO postings (rowid, terms) VALUES (?, ?)",
        sorted((row, _terms(store, storable(each.text), storable(each.heading))) for row, each in rows),
    )
    connection.execute("UPDATE entries SET chunks = chunks + ? WHERE number = ?", (len(chunks) - len(replaced), number))
    if chunks and vectors is not None:
        numbers = np.array([chunk.number for chunk in chunks], dtype=np.int32)
        _insert_vectors(connection, number, numbers, unit_vectors(vectors))


def publish(connection: sqlite3.Connection, entry: Entry, attributes: Attributes) -> int:
    """Make an entry visible; its store's number."""
    store, number, _ = _open_entry(connection, entry)
    generation = _next_generation(connection, store)
    connection.execute(
        f"{_REMOVE} AND file_id = ? AND number <> ?", (generation, store, storable(entry.file_id), number)
    )
    connection.execute(
        "UPDATE entries SET state = ?, changed = ? WHERE number = ?", (State.VISIBLE, generation, number)
    )
    _write_attributes(connection, number, attributes)
    return store


def discard(connection: sqlite3.Connection, entry: Entry) -> None:
    """Remove an entry that is staged."""
    store = _store(connection, entry.project, entry.store_id)
    if store is not None:
        connection.execute(
            "UPDATE entries SET state = ? WHERE store = ? AND file_id = ? AND version = ? AND state = ?",
            (State.DISCARDED, store, storable(entry.file_id), storable(entry.version), State.STAGED),
        )


def set_attributes(
    connection: sqlite3.Connection, project: str, store_id: str, file_id: str, attributes: Attributes
) -> None:
    """Replace the attributes of a visible file."""
    store = _store(connection, project, store_id)
    row = connection.execute(
        "SELECT number FROM entries WHERE store = ? AND file_id = ? AND state = ?",
        (store, storable(file_id), State.VISIBLE),
    ).fetchone()
    if row is not None:
        _write_attributes(connection, row[0], attributes)


def remove_file(connection: sqlite3.Connection, project: str, store_id: str, file_id: str) -> None:
    """Remove all entries of a file."""
    store = _store(connection, project, store_id)
    if store is not None:
        connection.execute(
            f"{_REMOVE} AND file_id = ?", (_next_generation(connection, store), store, storable(file_id))
        )


def remove_store(connection: sqlite3.Connection, project: str, store_id: str) -> int | None:
    """Remove all entries of a store; its number, if it is known."""
    store = _store(connection, project, store_id)
    if store is not None:
        connection.execute(_REMOVE, (_next_generation(connection, store), store))
        connection.execute("DELETE FROM graphs WHERE store = ?", (store,))
    return store


def write_graph_row(connection: sqlite3.Connection, store: int, dimension: int, row: GraphRow) -> None:
    """Replace the graph of a store, unless the store was removed meanwhile."""
    connection.execute(
        "INSERT OR REPLACE INTO graphs (store, dimension, name, bytes, checksum, entries) "
        "SELECT number, ?, ?, ?, ?, ? FROM stores WHERE number = ?",
        (dimension, row.name, row.size, row.checksum, row.entries.tobytes(), store),
    )


def purge(connection: sqlite3.Connection) -> bool:
    """Delete a portion of the removed rows. Returns whether there may be more."""
    row = connection.execute(
        "SELECT number, store, state FROM entries WHERE state IN (?, ?) ORDER BY number LIMIT 1",
        (State.REMOVED, State.DISCARDED),
    ).fetchone()
    if row is None:
        return False
    entry, store, state = row
    first, last = entry << ENTRY_BITS, (entry + 1) << ENTRY_BITS
    found = connection.execute("SELECT id FROM chunks WHERE id >= ? AND id < ? LIMIT ?", (first, last, _PORTION))
    rows = [each[0] for each in found]
    _delete_chunks(connection, store, rows)
    if len(rows) < _PORTION:
        connection.execute("DELETE FROM vectors WHERE entry = ?", (entry,))
        connection.execute("DELETE FROM attributes WHERE entry = ?", (entry,))
        if state == State.REMOVED:
            connection.execute("DELETE FROM entries WHERE number = ?", (entry,))
        else:
            connection.execute("UPDATE entries SET state = ? WHERE number = ?", (State.GONE, entry))
        connection.execute("UPDATE stores SET purged = generation WHERE number = ?", (store,))
        connection.execute(
            "DELETE FROM stores WHERE number = ?1 AND NOT EXISTS (SELECT 1 FROM entries WHERE store = ?1)", (store,)
        )
    return True


def _store(connection: sqlite3.Connection, project: str, store_id: str) -> int | None:
    row = connection.execute(_FIND_STORE, (storable(project), storable(store_id))).fetchone()
    return None if row is None else int(row[0])


def _named(entry: Entry) -> tuple[str, str, str, str]:
    return storable(entry.project), storable(entry.store_id), storable(entry.file_id), storable(entry.version)


def _open_entry(connection: sqlite3.Connection, entry: Entry) -> tuple[int, int, int]:
    """The number of the store, and the number and the state of an entry that is staged or visible."""
    row = connection.execute(_FIND_ENTRY, _named(entry)).fetchone()
    if row is None:
        raise EntryRemoved(f"the index has no entry {entry.version} of {entry.file_id} in {entry.store_id}")
    store, number, state = row
    return store, number, state


def _next_generation(connection: sqlite3.Connection, store: int) -> int:
    generation: int = connection.execute(_NEXT_GENERATION, (store,)).fetchone()[0]
    return generation


def _write_attributes(connection: sqlite3.Connection, entry: int, attributes: Attributes) -> None:
    connection.execute("DELETE FROM attributes WHERE entry = ?", (entry,))
    connection.executemany(
        "INSERT INTO attributes (entry, key, text, number, flag) VALUES (?, ?, ?, ?, ?)",
        ((entry, *row) for row in attribute_rows(attributes)),
    )


def _terms(store: int, text: str, heading: str) -> str:
    return " ".join(sorted(f"{store}:{term}" for term in document_terms(text, heading)))


def _delete_chunks(connection: sqlite3.Connection, store: int, rows: Iterable[int]) -> None:
    """Delete chunks and their terms, which are found out from the text once more."""
    for row in rows:
        text, heading = connection.execute("SELECT text, heading FROM chunks WHERE id = ?", (row,)).fetchone()
        connection.execute(
            "INSERT INTO postings (postings, rowid, terms) VALUES ('delete', ?, ?)",
            (row, _terms(store, text, heading)),
        )
        connection.execute("DELETE FROM chunks WHERE id = ?", (row,))


def _insert_vectors(
    connection: sqlite3.Connection, entry: int, numbers: np.ndarray[tuple[int], np.dtype[np.int32]], rows: UnitVectors
) -> None:
    connection.execute(
        "INSERT INTO vectors (entry, first, dimension, numbers, data) VALUES (?, ?, ?, ?, ?)",
        (entry, int(numbers.min()), rows.shape[1], numbers.tobytes(), rows.tobytes()),
    )


def _delete_vectors(connection: sqlite3.Connection, entry: int, replaced: Sequence[int]) -> None:
    """Delete the vectors of chunks that are written again."""
    gone = np.array(replaced, dtype=np.int64) & ((1 << ENTRY_BITS) - 1)
    found = connection.execute(
        "SELECT first, dimension, numbers, data FROM vectors WHERE entry = ?", (entry,)
    ).fetchall()
    for first, dimension, raw_numbers, raw_rows in found:
        numbers = np.frombuffer(raw_numbers, dtype=np.int32)
        kept = ~np.isin(numbers, gone)
        if not kept.all():
            connection.execute("DELETE FROM vectors WHERE entry = ? AND first = ?", (entry, first))
            if kept.any():
                rows = np.frombuffer(raw_rows, dtype=np.float16).reshape(-1, dimension)
                _insert_vectors(connection, entry, numbers[kept], rows[kept])
