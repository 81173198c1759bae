-- Vector stores. Their texts and vectors are in the tables of the index.
CREATE TABLE IF NOT EXISTS vector_stores (
    seq             bigint GENERATED ALWAYS AS IDENTITY,
    id              text COLLATE "C" PRIMARY KEY,
    project         text COLLATE "C" NOT NULL,
    created_at      bigint NOT NULL,
    last_active_at  bigint NOT NULL,
    expires_days    bigint,
    expires_at      bigint GENERATED ALWAYS AS (last_active_at + expires_days * 86400) STORED,
    in_progress     bigint NOT NULL DEFAULT 0,
    completed       bigint NOT NULL DEFAULT 0,
    failed          bigint NOT NULL DEFAULT 0,
    cancelled       bigint NOT NULL DEFAULT 0,
    usage_bytes     bigint NOT NULL DEFAULT 0,
    body            bytea NOT NULL
);
CREATE INDEX IF NOT EXISTS vector_stores_order ON vector_stores (project, seq);
CREATE INDEX IF NOT EXISTS vector_stores_expiry ON vector_stores (expires_at) WHERE expires_at IS NOT NULL;

-- The files of a vector store, and the queue of their ingestion: one in progress is due at `next_at`.
-- The number of its claims guards what a claim writes.
CREATE TABLE IF NOT EXISTS vector_store_files (
    seq          bigint GENERATED ALWAYS AS IDENTITY,
    store_id     text COLLATE "C" NOT NULL,
    file_id      text COLLATE "C" NOT NULL,
    project      text COLLATE "C" NOT NULL,
    batch_id     text COLLATE "C",
    status       text COLLATE "C" NOT NULL,
    usage_bytes  bigint NOT NULL,
    claims       bigint NOT NULL DEFAULT 0,
    attempts     bigint NOT NULL DEFAULT 0,
    next_at      bigint,
    body         bytea NOT NULL,
    PRIMARY KEY (store_id, file_id)
);
CREATE INDEX IF NOT EXISTS vector_store_files_order ON vector_store_files (store_id, seq);
CREATE INDEX IF NOT EXISTS vector_store_files_of_status ON vector_store_files (store_id, status, seq);
CREATE INDEX IF NOT EXISTS vector_store_files_of_batch ON vector_store_files (batch_id, status, seq)
    WHERE batch_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS vector_store_files_of_file ON vector_store_files (file_id);
CREATE INDEX IF NOT EXISTS vector_store_files_due ON vector_store_files (project, next_at, seq)
    WHERE next_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS file_batches (
    id          text COLLATE "C" PRIMARY KEY,
    store_id    text COLLATE "C" NOT NULL,
    project     text COLLATE "C" NOT NULL,
    created_at  bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS file_batches_of_store ON file_batches (store_id);

-- Removals that the index has yet to make: of a file of a store, or of a whole store.
CREATE TABLE IF NOT EXISTS index_removals (
    number    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project   text COLLATE "C" NOT NULL,
    store_id  text COLLATE "C" NOT NULL,
    file_id   text COLLATE "C"
);
