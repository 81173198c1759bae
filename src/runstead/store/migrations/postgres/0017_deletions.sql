-- Deleted threads and webhooks whose rows are still to be removed.
CREATE TABLE IF NOT EXISTS deletions (
    id          text COLLATE "C" PRIMARY KEY,
    kind        text COLLATE "C" NOT NULL,
    project     text COLLATE "C" NOT NULL,
    deleted_at  bigint NOT NULL,
    next_at     bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS deletions_next ON deletions (next_at);
