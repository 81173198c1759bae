-- name: get
SELECT body FROM files WHERE id = :id AND project = :project AND (expires_at IS NULL OR expires_at > :now);

-- name: get_many
-- `ids` is a JSON array. The same for `blobs`.
SELECT body FROM files
 WHERE id IN (SELECT value FROM json_each(:ids))
   AND project = :project
   AND (expires_at IS NULL OR expires_at > :now);

-- name: insert
INSERT INTO files (id, project, purpose, created_at, expires_at, bytes, blob, body)
VALUES (:id, :project, :purpose, :created_at, :expires_at, :bytes, :blob, :body);

-- name: delete
DELETE FROM files WHERE id = :id AND project = :project RETURNING body;

-- name: use
-- The row of the project is locked until the transaction ends.
INSERT INTO file_usage (project, bytes) VALUES (:project, :bytes)
ON CONFLICT (project) DO UPDATE SET bytes = file_usage.bytes + excluded.bytes
RETURNING bytes;

-- name: usage
SELECT bytes FROM file_usage WHERE project = :project;

-- name: sum_of_sizes
SELECT coalesce(sum(bytes), 0) FROM files WHERE project = :project;

-- name: position
SELECT seq FROM files WHERE id = :id AND project = :project AND (expires_at IS NULL OR expires_at > :now);

-- name: page_up
SELECT body FROM files
 WHERE project = :project
   AND seq > :low AND seq < :high
   AND (expires_at IS NULL OR expires_at > :now)
 ORDER BY seq
 LIMIT :limit;

-- name: page_down
SELECT body FROM files
 WHERE project = :project
   AND seq > :low AND seq < :high
   AND (expires_at IS NULL OR expires_at > :now)
 ORDER BY seq DESC
 LIMIT :limit;

-- name: purpose_page_up
SELECT body FROM files
 WHERE project = :project AND purpose = :purpose
   AND seq > :low AND seq < :high
   AND (expires_at IS NULL OR expires_at > :now)
 ORDER BY seq
 LIMIT :limit;

-- name: purpose_page_down
SELECT body FROM files
 WHERE project = :project AND purpose = :purpose
   AND seq > :low AND seq < :high
   AND (expires_at IS NULL OR expires_at > :now)
 ORDER BY seq DESC
 LIMIT :limit;

-- name: audit
SELECT project, body FROM files WHERE id > :after ORDER BY id LIMIT :limit;

-- name: expired
SELECT project, id FROM files WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit;

-- name: named
SELECT blob FROM files WHERE blob IN (SELECT value FROM json_each(:blobs));

-- name: mark_blob
INSERT INTO blob_removals (blob, marked_at) VALUES (:blob, :now) ON CONFLICT (blob) DO NOTHING;

-- name: marked_blobs
SELECT blob FROM blob_removals WHERE marked_at > 0 ORDER BY marked_at LIMIT :limit;

-- name: unmark_blobs
DELETE FROM blob_removals WHERE blob IN (SELECT value FROM json_each(:blobs));
