-- Files: the content of each is a blob, outside of this database.
CREATE TABLE files (
    number      INTEGER PRIMARY KEY,
    seq         INTEGER GENERATED ALWAYS AS (number) VIRTUAL,
    id          TEXT NOT NULL UNIQUE,
    project     TEXT NOT NULL,
    purpose     TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER,
    bytes       INTEGER NOT NULL,
    blob        TEXT NOT NULL UNIQUE,
    body        BLOB NOT NULL
) STRICT;
CREATE INDEX files_order ON files (project, seq);
CREATE INDEX files_order_of_purpose ON files (project, purpose, seq);
CREATE INDEX files_expiry ON files (expires_at) WHERE expires_at IS NOT NULL;

-- The bytes of all files of a project.
CREATE TABLE file_usage (
    project  TEXT NOT NULL PRIMARY KEY,
    bytes    INTEGER NOT NULL
) STRICT;

-- Blobs that no row needs any more.
CREATE TABLE blob_removals (
    blob       TEXT NOT NULL PRIMARY KEY,
    marked_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX blob_removals_order ON blob_removals (marked_at);

-- Bytes of a project's files. NULL is the server's default, 0 is no limit.
ALTER TABLE projects ADD COLUMN max_file_bytes INTEGER;
