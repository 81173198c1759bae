-- Files: the content of each is a blob, outside of this database.
CREATE TABLE IF NOT EXISTS files (
    seq         bigint GENERATED ALWAYS AS IDENTITY,
    id          text COLLATE "C" PRIMARY KEY,
    project     text COLLATE "C" NOT NULL,
    purpose     text COLLATE "C" NOT NULL,
    created_at  bigint NOT NULL,
    expires_at  bigint,
    bytes       bigint NOT NULL,
    blob        text COLLATE "C" NOT NULL UNIQUE,
    body        bytea NOT NULL
);
CREATE INDEX IF NOT EXISTS files_order ON files (project, seq);
CREATE INDEX IF NOT EXISTS files_order_of_purpose ON files (project, purpose, seq);
CREATE INDEX IF NOT EXISTS files_expiry ON files (expires_at) WHERE expires_at IS NOT NULL;

-- The bytes of all files of a project.
CREATE TABLE IF NOT EXISTS file_usage (
    project  text COLLATE "C" PRIMARY KEY,
    bytes    bigint NOT NULL
);

-- Blobs that no row needs any more.
CREATE TABLE IF NOT EXISTS blob_removals (
    blob       text COLLATE "C" PRIMARY KEY,
    marked_at  bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS blob_removals_order ON blob_removals (marked_at);

-- Bytes of a project's files. NULL is the server's default, 0 is no limit.
ALTER TABLE projects ADD COLUMN IF NOT EXISTS max_file_bytes bigint;
