-- The part of a run that its creation fixes. `body` is then the part that changes. NULL: `body` is the whole run.
ALTER TABLE runs ADD COLUMN settings BLOB;

-- The object that a recorded reply shows, below its thread: `thread/object`, or one of them alone.
ALTER TABLE answers ADD COLUMN subject TEXT;
CREATE INDEX answers_subject ON answers (subject) WHERE subject IS NOT NULL;

CREATE INDEX deliveries_of_thread ON deliveries (thread_id, id);

-- Deleted threads and webhooks whose rows are still to be removed.
CREATE TABLE deletions (
    id          TEXT NOT NULL PRIMARY KEY,
    kind        TEXT NOT NULL,
    project     TEXT NOT NULL,
    deleted_at  INTEGER NOT NULL,
    next_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX deletions_next ON deletions (next_at);
