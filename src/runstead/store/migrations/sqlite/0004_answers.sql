-- What was answered to requests that may come again. `expires_at` is when the answer is forgotten.
CREATE TABLE answers (
    project     TEXT NOT NULL,
    key         TEXT NOT NULL,
    digest      BLOB NOT NULL,
    doubtful    INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    body        BLOB NOT NULL,
    PRIMARY KEY (project, key)
) STRICT;
CREATE INDEX answers_expired ON answers (expires_at);
