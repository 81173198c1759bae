-- Limits of a project's own: NULL is the server's default, 0 is no limit.
CREATE TABLE projects (
    number       INTEGER PRIMARY KEY,
    seq          INTEGER GENERATED ALWAYS AS (number) VIRTUAL,
    name         TEXT NOT NULL UNIQUE,
    created_at   INTEGER NOT NULL,
    max_running  INTEGER,
    max_queued   INTEGER
) STRICT;
CREATE INDEX projects_list ON projects (created_at, seq);
