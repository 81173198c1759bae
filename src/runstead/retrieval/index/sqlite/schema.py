"""The tables of the index file.

The full-text table holds terms alone: no text, no positions, no counts. Each term is prefixed by the number of its
store, so a search walks the lists of the searched stores and never those of others. The tokenizer splits at blanks, and
takes every other character that a term may have for a letter.

The file is derived: there are no migrations. A version with other tables or other terms starts with an empty file.
"""

from runstead.retrieval.index.stored_rows import State

__all__ = ["SCHEMA", "VERSION"]

VERSION = 1
"""Increased by every change of the tables, and of the terms of a text (`terms`)."""

SCHEMA = f"""
CREATE TABLE stores (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    project     TEXT NOT NULL,
    store_id    TEXT NOT NULL,
    generation  INTEGER NOT NULL DEFAULT 0,  -- grows with every change of what is visible
    purged      INTEGER NOT NULL DEFAULT 0,  -- the generation at which an entry's row was deleted last
    UNIQUE (project, store_id)
);
CREATE TABLE entries (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    store       INTEGER NOT NULL,
    file_id     TEXT NOT NULL,
    version     TEXT NOT NULL,
    state       INTEGER NOT NULL DEFAULT {State.STAGED},
    chunks      INTEGER NOT NULL DEFAULT 0,
    changed     INTEGER NOT NULL DEFAULT 0,  -- the store's generation when the state changed
    UNIQUE (store, file_id, version)
);
CREATE UNIQUE INDEX entries_visible ON entries (store, file_id) WHERE state = {State.VISIBLE};
CREATE INDEX entries_changed ON entries (store, changed);
CREATE INDEX entries_removed ON entries (number) WHERE state IN ({State.REMOVED}, {State.DISCARDED});
CREATE TABLE attributes (
    entry   INTEGER NOT NULL,
    key     TEXT NOT NULL,
    text    TEXT,
    number  REAL,
    flag    INTEGER,
    PRIMARY KEY (entry, key)
) WITHOUT ROWID;
CREATE TABLE chunks (
    id         INTEGER PRIMARY KEY,  -- the entry and the chunk's number
    start_at   INTEGER NOT NULL,
    end_at     INTEGER NOT NULL,
    text       TEXT NOT NULL,
    heading    TEXT NOT NULL,
    place      TEXT
);
CREATE TABLE vectors (
    entry      INTEGER NOT NULL,
    first      INTEGER NOT NULL,  -- the smallest of the numbers
    dimension  INTEGER NOT NULL,
    numbers    BLOB NOT NULL,     -- int32, of the chunks
    data       BLOB NOT NULL,     -- float16, one row of length 1 for each of them
    PRIMARY KEY (entry, first)
);
CREATE TABLE graphs (
    store      INTEGER NOT NULL,
    dimension  INTEGER NOT NULL,
    name       TEXT NOT NULL,     -- of the file
    bytes      INTEGER NOT NULL,
    checksum   INTEGER NOT NULL,
    entries    BLOB NOT NULL,     -- int64, those whose chunks are in it
    PRIMARY KEY (store, dimension)
) WITHOUT ROWID;
CREATE VIRTUAL TABLE postings USING fts5(
    terms, content='', detail=none, columnsize=0,
    tokenize="ascii tokenchars '-_./:@+&#,'''"
);
PRAGMA user_version = {VERSION};
"""
