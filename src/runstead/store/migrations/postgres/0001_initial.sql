-- A row is a few columns to find an object by, and the object as the wire has it, in `body`: bytes, which the server
-- neither checks nor writes anew. To look inside: `convert_from(body, 'UTF8')::jsonb`.
-- `seq` is the order of insertion. Keys are compared byte by byte, whatever the database's language.

CREATE TABLE assistants (
    seq         bigint GENERATED ALWAYS AS IDENTITY,
    id          text COLLATE "C" PRIMARY KEY,
    project     text COLLATE "C" NOT NULL,
    created_at  bigint NOT NULL,
    body        bytea NOT NULL
);
CREATE INDEX assistants_list ON assistants (project, created_at, seq);

CREATE TABLE threads (
    seq         bigint GENERATED ALWAYS AS IDENTITY,
    id          text COLLATE "C" PRIMARY KEY,
    project     text COLLATE "C" NOT NULL,
    created_at  bigint NOT NULL,
    body        bytea NOT NULL
);
CREATE INDEX threads_list ON threads (project, created_at, seq);

CREATE TABLE messages (
    seq         bigint GENERATED ALWAYS AS IDENTITY,
    id          text COLLATE "C" PRIMARY KEY,
    project     text COLLATE "C" NOT NULL,
    thread_id   text COLLATE "C" NOT NULL,
    run_id      text COLLATE "C",
    created_at  bigint NOT NULL,
    body        bytea NOT NULL
);
CREATE INDEX messages_list ON messages (thread_id, created_at, seq);
CREATE INDEX messages_of_run ON messages (run_id, created_at, seq) WHERE run_id IS NOT NULL;

CREATE TABLE runs (
    seq         bigint GENERATED ALWAYS AS IDENTITY,
    id          text COLLATE "C" PRIMARY KEY,
    project     text COLLATE "C" NOT NULL,
    thread_id   text COLLATE "C" NOT NULL,
    created_at  bigint NOT NULL,
    status      text COLLATE "C" NOT NULL,
    active      boolean NOT NULL
                GENERATED ALWAYS AS (status IN ('queued', 'in_progress', 'requires_action', 'cancelling')) STORED,
    version     bigint NOT NULL,
    last_event  bigint NOT NULL,
    owner       text COLLATE "C",
    expires_at  bigint,
    body        bytea NOT NULL
);
CREATE INDEX runs_list ON runs (thread_id, created_at, seq);
-- One active run per thread.
CREATE UNIQUE INDEX runs_active ON runs (thread_id) WHERE active;
CREATE INDEX runs_queued ON runs (created_at, seq) WHERE status = 'queued';
CREATE INDEX runs_held ON runs (owner, seq) WHERE status IN ('in_progress', 'cancelling');
CREATE INDEX runs_deadline ON runs (expires_at, seq) WHERE active;

CREATE TABLE steps (
    seq         bigint GENERATED ALWAYS AS IDENTITY,
    id          text COLLATE "C" PRIMARY KEY,
    project     text COLLATE "C" NOT NULL,
    run_id      text COLLATE "C" NOT NULL,
    created_at  bigint NOT NULL,
    body        bytea NOT NULL
);
CREATE INDEX steps_list ON steps (run_id, created_at, seq);

-- All events that a run reported in one transaction, numbered `first` to `last`.
CREATE TABLE events (
    run_id      text COLLATE "C" NOT NULL,
    project     text COLLATE "C" NOT NULL,
    first       bigint NOT NULL,
    last        bigint NOT NULL,
    body        bytea NOT NULL,
    PRIMARY KEY (run_id, last)
);
