-- name: get
SELECT name, created_at, max_running, max_queued, max_file_bytes FROM projects WHERE name = :id;

-- name: put
INSERT INTO projects (name, created_at, max_running, max_queued, max_file_bytes)
VALUES (:name, :created_at, :max_running, :max_queued, :max_file_bytes)
ON CONFLICT (name) DO UPDATE SET max_running = excluded.max_running, max_queued = excluded.max_queued,
                                 max_file_bytes = excluded.max_file_bytes;

-- name: delete
DELETE FROM projects WHERE name = :id RETURNING seq;

-- name: position
SELECT seq FROM projects WHERE name = :id;

-- name: page_up
SELECT name, created_at, max_running, max_queued, max_file_bytes FROM projects
 WHERE seq > :low AND seq < :high
 ORDER BY seq
 LIMIT :limit;

-- name: page_down
SELECT name, created_at, max_running, max_queued, max_file_bytes FROM projects
 WHERE seq > :low AND seq < :high
 ORDER BY seq DESC
 LIMIT :limit;
