-- What was answered to requests that may come again. `expires_at` is when the answer is forgotten.
CREATE TABLE answers (
    project     text COLLATE "C" NOT NULL,
    key         text COLLATE "C" NOT NULL,
    digest      bytea NOT NULL,
    doubtful    integer NOT NULL,
    seq         bigint NOT NULL,
    expires_at  bigint NOT NULL,
    body        bytea NOT NULL,
    PRIMARY KEY (project, key)
);
CREATE INDEX answers_expired ON answers (expires_at);
