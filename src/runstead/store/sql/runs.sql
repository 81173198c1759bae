-- name: insert
-- No row back: the thread has an active run.
INSERT INTO runs (id, project, thread_id, created_at, status, version, last_event, owner, expires_at, body)
VALUES (:id, :project, :thread_id, :created_at, :status, 1, :last_event, :owner, :expires_at, :body)
ON CONFLICT (thread_id) WHERE active DO NOTHING
RETURNING seq;

-- name: move
-- The only statement that changes a run. No row back: someone else moved first.
UPDATE runs
   SET status = :status, version = version + 1, last_event = :last_event, owner = :owner,
       expires_at = :expires_at, body = :body
 WHERE id = :id AND version = :version
RETURNING version;

-- name: get
SELECT body, project, version, last_event, owner FROM runs
 WHERE id = :id AND thread_id = :thread_id AND project = :project;

-- name: load
SELECT body, project, version, last_event, owner FROM runs WHERE id = :id;

-- name: active
SELECT body FROM runs WHERE thread_id = :thread_id AND project = :project AND active;

-- name: place
SELECT created_at, seq FROM runs WHERE id = :id AND thread_id = :thread_id AND project = :project;

-- name: page_up
SELECT body FROM runs
 WHERE thread_id = :thread_id AND project = :project
   AND (created_at, seq) > (:low_time, :low_seq)
   AND (created_at, seq) < (:high_time, :high_seq)
 ORDER BY created_at, seq
 LIMIT :limit;

-- name: page_down
SELECT body FROM runs
 WHERE thread_id = :thread_id AND project = :project
   AND (created_at, seq) > (:low_time, :low_seq)
   AND (created_at, seq) < (:high_time, :high_seq)
 ORDER BY created_at DESC, seq DESC
 LIMIT :limit;

-- name: queued
SELECT id FROM runs WHERE status = 'queued' ORDER BY created_at, seq LIMIT :limit;

-- name: held
SELECT id FROM runs
 WHERE status IN ('in_progress', 'cancelling') AND owner IS NOT :owner
 ORDER BY owner, seq
 LIMIT :limit;

-- name: stopping
SELECT id FROM runs
 WHERE status IN ('in_progress', 'cancelling') AND owner = :owner
   AND (status = 'cancelling' OR expires_at <= :now)
 ORDER BY seq
 LIMIT :limit;

-- name: overdue
SELECT id FROM runs WHERE active AND expires_at <= :now ORDER BY expires_at, seq LIMIT :limit;

-- name: next_deadline
SELECT expires_at FROM runs WHERE active AND expires_at IS NOT NULL ORDER BY expires_at LIMIT 1;
