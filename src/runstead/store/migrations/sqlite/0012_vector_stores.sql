-- Vector stores. Their texts and vectors are in the index, which is a file of its own.
CREATE TABLE vector_stores (
    number          INTEGER PRIMARY KEY,
    seq             INTEGER GENERATED ALWAYS AS (number) VIRTUAL,
    id              TEXT NOT NULL UNIQUE,
    project         TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    last_active_at  INTEGER NOT NULL,
    expires_days    INTEGER,
    expires_at      INTEGER GENERATED ALWAYS AS (last_active_at + expires_days * 86400) VIRTUAL,
    in_progress     INTEGER NOT NULL DEFAULT 0,
    completed       INTEGER NOT NULL DEFAULT 0,
    failed          INTEGER NOT NULL DEFAULT 0,
    cancelled       INTEGER NOT NULL DEFAULT 0,
    usage_bytes     INTEGER NOT NULL DEFAULT 0,
    body            BLOB NOT NULL
) STRICT;
CREATE INDEX vector_stores_order ON vector_stores (project, seq);
CREATE INDEX vector_stores_expiry ON vector_stores (expires_at) WHERE expires_days IS NOT NULL;

-- The files of a vector store, and the queue of their ingestion: one in progress is due at `next_at`.
-- The number of its claims guards what a claim writes.
CREATE TABLE vector_store_files (
    number       INTEGER PRIMARY KEY,
    seq          INTEGER GENERATED ALWAYS AS (number) VIRTUAL,
    store_id     TEXT NOT NULL,
    file_id      TEXT NOT NULL,
    project      TEXT NOT NULL,
    batch_id     TEXT,
    status       TEXT NOT NULL,
    usage_bytes  INTEGER NOT NULL,
    claims       INTEGER NOT NULL DEFAULT 0,
    attempts     INTEGER NOT NULL DEFAULT 0,
    next_at      INTEGER,
    body         BLOB NOT NULL,
    UNIQUE (store_id, file_id)
) STRICT;
CREATE INDEX vector_store_files_order ON vector_store_files (store_id, seq);
CREATE INDEX vector_store_files_of_status ON vector_store_files (store_id, status, seq);
CREATE INDEX vector_store_files_of_batch ON vector_store_files (batch_id, status, seq) WHERE batch_id IS NOT NULL;
CREATE INDEX vector_store_files_of_file ON vector_store_files (file_id);
CREATE INDEX vector_store_files_due ON vector_store_files (project, next_at, seq) WHERE next_at IS NOT NULL;

CREATE TABLE file_batches (
    number      INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    store_id    TEXT NOT NULL,
    project     TEXT NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX file_batches_of_store ON file_batches (store_id);

-- Removals that the index has yet to make: of a file of a store, or of a whole store.
CREATE TABLE index_removals (
    number    INTEGER PRIMARY KEY AUTOINCREMENT,
    project   TEXT NOT NULL,
    store_id  TEXT NOT NULL,
    file_id   TEXT
) STRICT;
