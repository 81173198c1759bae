"""The writing transactions of the index. Each locks in the same order: the store, then its entries."""

from collections.abc import Sequence
from typing import Any

from runstead.retrieval.index.filter_sql import attribute_rows
from runstead.retrieval.index.lexical import ENTRY_BITS, chunk_id
from runstead.retrieval.index.port import Attributes, Entry, EntryRemoved, IndexedChunk, Vectors
from runstead.retrieval.index.stored_rows import State, storable, storable_or_none
from runstead.retrieval.index.terms import document_terms
from runstead.retrieval.index.unit_vectors import unit_vectors
from runstead.wire.error import RunsteadError

__all__ = ["add", "discard", "prepared_terms", "publish", "purge", "remove_file", "remove_store", "set_attributes"]

_PORTION = 500
"""Chunks that one transaction deletes."""
_AT_ONCE = 50
"""Chunks that one call of the driver writes: it encodes them on the event loop."""

_MAKE_STORE = "INSERT INTO index_stores (project, store_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_LOCK_STORE = "SELECT number FROM index_stores WHERE project = $1 AND store_id = $2 FOR UPDATE"
_MAKE_ENTRY = """
INSERT INTO index_entries (store, file_id, version)
SELECT number, $3, $4 FROM index_stores WHERE project = $1 AND store_id = $2
    ON CONFLICT DO NOTHING
"""
_LOCK_ENTRY = """
SELECT e.store, e.number, e.state FROM index_stores AS s JOIN index_entries AS e ON e.store = s.number
 WHERE s.project = $1 AND s.store_id = $2 AND e.file_id = $3 AND e.version = $4 AND e.state IN (0, 1)
   FOR UPDATE OF e
"""
_REMOVE = """
UPDATE index_entries SET state = CASE state WHEN 1 THEN 2 ELSE 3 END WHERE state IN (0, 1) AND store = $1
"""
_PURGED = """
SELECT number, state FROM index_entries WHERE state IN (2, 3) ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED
"""
_DELETE_PORTION = """
WITH portion AS (SELECT id FROM index_chunks WHERE id >= $1 AND id < $2 LIMIT $3),
     vectors AS (DELETE FROM index_vectors WHERE id IN (SELECT id FROM portion))
DELETE FROM index_chunks WHERE id IN (SELECT id FROM portion)
"""


def prepared_terms(chunks: Sequence[IndexedChunk]) -> list[list[str]]:
    """The terms of each chunk, without the number of the store. It takes a while: not for the event loop."""
    return [sorted(document_terms(storable(chunk.text), storable(chunk.heading))) for chunk in chunks]


async def add(
    connection: Any,
    entry: Entry,
    chunks: Sequence[IndexedChunk],
    terms: Sequence[Sequence[str]],
    vectors: "Vectors | None",
) -> None:
    """Write chunks of a staged entry."""
    named = _named(entry)
    await connection.execute(_MAKE_STORE, *named[:2])
    await connection.execute(_MAKE_ENTRY, *named)
    store, number, state = await _open_entry(connection, entry)
    if state != State.STAGED:
        raise RunsteadError(f"the entry {entry.version} of {entry.file_id} in {entry.store_id} is published already")
    rows = [chunk_id(number, chunk.number) for chunk in chunks]
    replaced = await connection.fetchval(
        "WITH gone AS (DELETE FROM index_chunks WHERE id = ANY($1) RETURNING id) SELECT count(*) FROM gone", rows
    )
    if replaced:
        await connection.execute("DELETE FROM index_vectors WHERE id = ANY($1)", rows)
    for first in range(0, len(rows), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        await _insert_chunks(connection, store, rows[part], chunks[part], terms[part])
        if vectors is not None:
            await _insert_vectors(connection, number, rows[part], vectors[part])
    await connection.execute(
        "UPDATE index_entries SET chunks = chunks + $2 WHERE number = $1", number, len(chunks) - replaced
    )


async def publish(connection: Any, entry: Entry, attributes: Attributes) -> None:
    """Make an entry visible and remove the others of its file."""
    await connection.execute(_LOCK_STORE, *_named(entry)[:2])
    store, number, _ = await _open_entry(connection, entry)
    await connection.execute(f"{_REMOVE} AND file_id = $2 AND number <> $3", store, storable(entry.file_id), number)
    await connection.execute("UPDATE index_entries SET state = 1 WHERE number = $1", number)
    await _write_attributes(connection, number, attributes)


async def discard(connection: Any, entry: Entry) -> None:
    """Remove an entry that is staged."""
    row = await connection.fetchrow(_LOCK_ENTRY, *_named(entry))
    if row is not None and row["state"] == State.STAGED:
        await connection.execute("UPDATE index_entries SET state = 3 WHERE number = $1", row["number"])


async def set_attributes(connection: Any, project: str, store_id: str, file_id: str, attributes: Attributes) -> None:
    """Replace the attributes of a visible file."""
    store = await connection.fetchval(_LOCK_STORE, storable(project), storable(store_id))
    number = await connection.fetchval(
        "SELECT number FROM index_entries WHERE store = $1 AND file_id = $2 AND state = 1", store, storable(file_id)
    )
    if number is not None:
        await _write_attributes(connection, number, attributes)


async def remove_file(connection: Any, project: str, store_id: str, file_id: str) -> None:
    """Remove all entries of a file."""
    store = await connection.fetchval(_LOCK_STORE, storable(project), storable(store_id))
    await connection.execute(f"{_REMOVE} AND file_id = $2", store, storable(file_id))


async def remove_store(connection: Any, project: str, store_id: str) -> None:
    """Remove all entries of a store."""
    await connection.execute(_REMOVE, await connection.fetchval(_LOCK_STORE, storable(project), storable(store_id)))


async def purge(connection: Any) -> bool:
    """Delete a portion of the removed rows. Returns whether there may be more."""
    row = await connection.fetchrow(_PURGED)
    if row is None:
        return False
    entry, state = row
    status = await connection.execute(_DELETE_PORTION, entry << ENTRY_BITS, (entry + 1) << ENTRY_BITS, _PORTION)
    if int(status.rpartition(" ")[2]) < _PORTION:
        await connection.execute("DELETE FROM index_attributes WHERE entry = $1", entry)
        if state == State.REMOVED:
            await connection.execute("DELETE FROM index_entries WHERE number = $1", entry)
        else:
            await connection.execute("UPDATE index_entries SET state = 4 WHERE number = $1", entry)
    return True


async def _insert_chunks(
    connection: Any,
    store: int,
    rows: Sequence[int],
    chunks: Sequence[IndexedChunk],
    terms: Sequence[Sequence[str]],
) -> None:
    await connection.executemany(
        "INSERT INTO index_chunks (id, start_at, end_at, text, heading, place, terms) "
        "VALUES ($1, $2, $3, $4, $5, $6, array_to_tsvector($7))",
        [
            (
                *(row, chunk.start, chunk.end, storable(chunk.text), storable(chunk.heading)),
                *(storable_or_none(chunk.place), [f"{store}:{term}" for term in listed]),
            )
            for row, chunk, listed in zip(rows, chunks, terms, strict=True)
        ],
    )


async def _insert_vectors(connection: Any, entry: int, rows: Sequence[int], vectors: Vectors) -> None:
    units = unit_vectors(vectors)
    await connection.executemany(
        "INSERT INTO index_vectors (id, entry, dimension, embedding) VALUES ($1, $2, $3, $4)",
        [(row, entry, units.shape[1], unit) for row, unit in zip(rows, units, strict=True)],
    )


def _named(entry: Entry) -> tuple[str, str, str, str]:
    return storable(entry.project), storable(entry.store_id), storable(entry.file_id), storable(entry.version)


async def _open_entry(connection: Any, entry: Entry) -> tuple[int, int, int]:
    """The number of the store, and the number and the state of an entry that is staged or visible. It is locked."""
    row = await connection.fetchrow(_LOCK_ENTRY, *_named(entry))
    if row is None:
        raise EntryRemoved(f"the index has no entry {entry.version} of {entry.file_id} in {entry.store_id}")
    store, number, state = row
    return store, number, state


async def _write_attributes(connection: Any, entry: int, attributes: Attributes) -> None:
    await connection.execute("DELETE FROM index_attributes WHERE entry = $1", entry)
    await connection.executemany(
        "INSERT INTO index_attributes (entry, key, text, number, flag) VALUES ($1, $2, $3, $4, $5)",
        [(entry, *row) for row in attribute_rows(attributes)],
    )
