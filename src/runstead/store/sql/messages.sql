-- name: get
SELECT body FROM messages WHERE id = :id AND thread_id = :thread_id AND project = :project;

-- name: insert
INSERT INTO messages (id, project, thread_id, run_id, created_at, behind, body)
VALUES (:id, :project, :thread_id, :run_id, :created_at, :behind, :body);

-- name: replace
UPDATE messages SET body = :body
 WHERE id = :id AND thread_id = :thread_id AND project = :project
RETURNING seq;

-- name: delete
DELETE FROM messages WHERE id = :id AND thread_id = :thread_id AND project = :project RETURNING seq;

-- name: place
SELECT created_at, seq FROM messages WHERE id = :id AND thread_id = :thread_id AND project = :project;

-- name: page_up
SELECT body FROM messages
 WHERE thread_id = :thread_id AND project = :project
   AND (created_at, seq) > (:low_time, :low_seq)
   AND (created_at, seq) < (:high_time, :high_seq)
 ORDER BY created_at, seq
 LIMIT :limit;

-- name: page_down
SELECT body FROM messages
 WHERE thread_id = :thread_id AND project = :project
   AND (created_at, seq) > (:low_time, :low_seq)
   AND (created_at, seq) < (:high_time, :high_seq)
 ORDER BY created_at DESC, seq DESC
 LIMIT :limit;

-- name: run_page_up
SELECT body FROM messages
 WHERE run_id = :run_id AND thread_id = :thread_id AND project = :project
   AND (created_at, seq) > (:low_time, :low_seq)
   AND (created_at, seq) < (:high_time, :high_seq)
 ORDER BY created_at, seq
 LIMIT :limit;

-- name: run_page_down
SELECT body FROM messages
 WHERE run_id = :run_id AND thread_id = :thread_id AND project = :project
   AND (created_at, seq) > (:low_time, :low_seq)
   AND (created_at, seq) < (:high_time, :high_seq)
 ORDER BY created_at DESC, seq DESC
 LIMIT :limit;

-- name: newest
-- As `page_down`, of those that have joined the thread.
SELECT body FROM messages
 WHERE thread_id = :thread_id AND project = :project AND behind IS NULL
   AND (created_at, seq) > (:low_time, :low_seq)
   AND (created_at, seq) < (:high_time, :high_seq)
 ORDER BY created_at DESC, seq DESC
 LIMIT :limit;

-- name: waiting
SELECT project, body FROM messages WHERE behind = :run_id ORDER BY seq;

-- name: pass_on
UPDATE messages SET behind = :behind WHERE behind = :run_id;

-- name: remove_waiting
DELETE FROM messages WHERE behind = :run_id;
