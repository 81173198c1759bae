-- Who is told of runs, and what they are to be told: the outbox, written with the run.
CREATE TABLE webhooks (
    seq         bigint GENERATED ALWAYS AS IDENTITY,
    id          text COLLATE "C" PRIMARY KEY,
    project     text COLLATE "C" NOT NULL,
    created_at  bigint NOT NULL,
    enabled     boolean NOT NULL,
    events      text COLLATE "C" NOT NULL,
    generation  integer NOT NULL DEFAULT 1,
    old_until   bigint NOT NULL DEFAULT 0,
    body        bytea NOT NULL
);
CREATE INDEX webhooks_list ON webhooks (project, created_at, seq);

CREATE TABLE deliveries (
    seq          bigint GENERATED ALWAYS AS IDENTITY,
    webhook_id   text COLLATE "C" NOT NULL,
    id           text COLLATE "C" NOT NULL,
    project      text COLLATE "C" NOT NULL,
    created_at   bigint NOT NULL,
    event_type   text COLLATE "C" NOT NULL,
    thread_id    text COLLATE "C" NOT NULL,
    run_id       text COLLATE "C" NOT NULL,
    status       text COLLATE "C" NOT NULL DEFAULT 'pending',
    attempts     integer NOT NULL DEFAULT 0,
    tries        integer NOT NULL DEFAULT 0,
    next_at      bigint,
    ended_at     bigint,
    status_code  integer,
    error        text,
    payload      bytea NOT NULL,
    PRIMARY KEY (webhook_id, id)
);
CREATE INDEX deliveries_list ON deliveries (webhook_id, created_at, seq);
CREATE INDEX deliveries_due ON deliveries (webhook_id, next_at, seq) WHERE status = 'pending';
CREATE INDEX deliveries_ended ON deliveries (ended_at) WHERE ended_at IS NOT NULL;
