-- A row is a few columns to find an object by, and the object as the wire has it, in `body`.
-- `seq` is the order of insertion; every index ends in it by itself, so lists are indexed by (…, created_at, seq).

CREATE TABLE assistants (
    seq         INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    project     TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    body        BLOB NOT NULL
) STRICT;
CREATE INDEX assistants_list ON assistants (project, created_at);

CREATE TABLE threads (
    seq         INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    project     TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    body        BLOB NOT NULL
) STRICT;
CREATE INDEX threads_list ON threads (project, created_at);

CREATE TABLE messages (
    seq         INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    project     TEXT NOT NULL,
    thread_id   TEXT NOT NULL,
    run_id      TEXT,
    created_at  INTEGER NOT NULL,
    body        BLOB NOT NULL
) STRICT;
CREATE INDEX messages_list ON messages (thread_id, created_at);
CREATE INDEX messages_of_run ON messages (run_id, created_at) WHERE run_id IS NOT NULL;

CREATE TABLE runs (
    seq         INTEGER PRIMARY KEY,
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
CREATE INDEX runs_list ON runs (thread_id, created_at);
-- One active run per thread.
CREATE UNIQUE INDEX runs_active ON runs (thread_id) WHERE active;
CREATE INDEX runs_queued ON runs (created_at) WHERE status = 'queued';
CREATE INDEX runs_held ON runs (owner) WHERE status IN ('in_progress', 'cancelling');
CREATE INDEX runs_deadline ON runs (expires_at) WHERE active;

CREATE TABLE steps (
    seq         INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    project     TEXT NOT NULL,
    run_id      TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    body        BLOB NOT NULL
) STRICT;
CREATE INDEX steps_list ON steps (run_id, created_at);

-- All events that a run reported in one transaction, numbered `first` to `last`.
CREATE TABLE events (
    run_id      TEXT NOT NULL,
    project     TEXT NOT NULL,
    first       INTEGER NOT NULL,
    last        INTEGER NOT NULL,
    body        BLOB NOT NULL,
    UNIQUE (run_id, last)
) STRICT;
