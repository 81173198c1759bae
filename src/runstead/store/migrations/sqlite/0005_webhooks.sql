-- Who is told of runs, and what they are to be told: the outbox, written with the run.
CREATE TABLE webhooks (
    number      INTEGER PRIMARY KEY,
    seq         INTEGER GENERATED ALWAYS AS (number) VIRTUAL,
    id          TEXT NOT NULL UNIQUE,
    project     TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    enabled     INTEGER NOT NULL,
    events      TEXT NOT NULL,
    generation  INTEGER NOT NULL DEFAULT 1,
    old_until   INTEGER NOT NULL DEFAULT 0,
    body        BLOB NOT NULL
) STRICT;
CREATE INDEX webhooks_list ON webhooks (project, created_at, seq);

CREATE TABLE deliveries (
    number       INTEGER PRIMARY KEY,
    seq          INTEGER GENERATED ALWAYS AS (number) VIRTUAL,
    webhook_id   TEXT NOT NULL,
    id           TEXT NOT NULL,
    project      TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    event_type   TEXT NOT NULL,
    thread_id    TEXT NOT NULL,
    run_id       TEXT NOT NULL,
    status       TEXT NOT NULL DEFAULT 'pending',
    attempts     INTEGER NOT NULL DEFAULT 0,
    tries        INTEGER NOT NULL DEFAULT 0,
    next_at      INTEGER,
    ended_at     INTEGER,
    status_code  INTEGER,
    error        TEXT,
    payload      BLOB NOT NULL,
    UNIQUE (webhook_id, id)
) STRICT;
CREATE INDEX deliveries_list ON deliveries (webhook_id, created_at, seq);
CREATE INDEX deliveries_due ON deliveries (webhook_id, next_at, seq) WHERE status = 'pending';
CREATE INDEX deliveries_ended ON deliveries (ended_at) WHERE ended_at IS NOT NULL;
