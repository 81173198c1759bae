-- name: get
SELECT name, created_at, max_running, max_queued FROM projects WHERE name = :id;

-- name: put
INSERT INTO projects (name, created_at, max_running, max_queued)
VALUES (:name, :created_at, :max_running, :max_queued)
ON CONFLICT (name) DO UPDATE SET max_running = excluded.max_running, max_queued = excluded.max_queued;

-- name: delete
DELETE FROM projects WHERE name = :id RETURNING seq;

-- name: place
SELECT created_at, seq FROM projects WHERE name = :id;

-- name: page_up
SELECT name, created_at, max_running, max_queued FROM projects
 WHERE (created_at, seq) > (:low_time, :low_seq)
   AND (created_at, seq) < (:high_time, :high_seq)
 ORDER BY created_at, seq
 LIMIT :limit;

-- name: page_down
SELECT name, created_at, max_running, max_queued FROM projects
 WHERE (created_at, seq) > (:low_time, :low_seq)
   AND (created_at, seq) < (:high_time, :high_seq)
 ORDER BY created_at DESC, seq DESC
 LIMIT :limit;
