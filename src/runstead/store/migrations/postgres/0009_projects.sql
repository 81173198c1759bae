-- Limits of a project's own: NULL is the server's default, 0 is no limit.
CREATE TABLE IF NOT EXISTS projects (
    seq          bigint GENERATED ALWAYS AS IDENTITY,
    name         text COLLATE "C" PRIMARY KEY,
    created_at   bigint NOT NULL,
    max_running  bigint,
    max_queued   bigint
);
CREATE INDEX IF NOT EXISTS projects_list ON projects (created_at, seq);
