-- A row is a few columns to find an object by, and the object as the wire has it, in `body`.
-- `seq` is the order of insertion. It is `number` under another name: SQLite does not search an index by `(created_at,
-- seq)` when `seq` is the primary key itself.

CREATE TABLE assistants (
    number      INTEGER PRIMARY KEY,
    seq         INTEGER GENERATED ALWAYS AS (number) VIRTUAL,
    id          TEXT NOT NULL UNIQUE,
    project     TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    body        BLOB NOT NULL
) STRICT;
CREATE INDEX assistants_list ON assistants (project, created_at, seq);

CREATE TABLE threads (
    number      INTEGER PRIMARY KEY,
    seq         INTEGER GENERATED ALWAYS AS (number) VIRTUAL,
    id          TEXT NOT NULL UNIQUE,
    project     TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    body        BLOB NOT NULL
) STRICT;
CREATE INDEX threads_list ON threads (project, created_at, seq);

CREATE TABLE messages (
    number      INTEGER PRIMARY KEY,
    seq         INTEGER GENERATED ALWAYS AS (number) VIRTUAL,
    id          TEXT NOT NULL UNIQUE,
    project     TEXT NOT NULL,
    thread_id   TEXT NOT NULL,
    run_id      TEXT,
    created_at  INTEGER NOT NULL,
    body        BLOB NOT NULL
) STRICT;
CREATE INDEX messages_list ON messages (thread_id, created_at, seq);
CREATE INDEX messages_of_run ON messages (run_id, created_at, seq) WHERE run_id IS NOT NULL;

CREATE TABLE runs (
    number      INTEGER PRIMARY KEY,
    seq         INTEGER GENERATED ALWAYS AS (number) VIRTUAL,
    id          TEXT NOT NULL UNIQUE,
    project     TEXT NOT NULL,
    thread_id   TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    status      TEXT NOT NULL,
    active      INTEGER NOT NULL
                GENERATED ALWAYS AS (status IN ('queued', 'in_progress', 'requires_action', 'cancelling')) VIRTUAL,
    version     INTEGER NOT NULL,
    last_event  INTEGER NOT NULL,
    owner       TEXT,
    expires_at  INTEGER,
    body        BLOB NOT NULL
) STRICT;
CREATE INDEX runs_list ON runs (thread_id, created_at, seq);
-- One active run per thread.
CREATE UNIQUE INDEX runs_active ON runs (thread_id) WHERE active;
CREATE INDEX runs_queued ON runs (created_at, seq) WHERE status = 'queued';
CREATE INDEX runs_held ON runs (owner, seq) WHERE status IN ('in_progress', 'cancelling');
CREATE INDEX runs_deadline ON runs (expires_at, seq) WHERE active;

CREATE TABLE steps (
    number      INTEGER PRIMARY KEY,
    seq         INTEGER GENERATED ALWAYS AS (number) VIRTUAL,
    id          TEXT NOT NULL UNIQUE,
    project     TEXT NOT NULL,
    run_id      TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    body        BLOB NOT NULL
) STRICT;
CREATE INDEX steps_list ON steps (run_id, created_at, seq);

-- All events that a run reported in one transaction, numbered `first` to `last`.
CREATE TABLE events (
    run_id      TEXT NOT NULL,
    project     TEXT NOT NULL,
    first       INTEGER NOT NULL,
    last        INTEGER NOT NULL,
    body        BLOB NOT NULL,
    UNIQUE (run_id, last)
) STRICT;
