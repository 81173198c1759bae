-- name: get
SELECT body FROM threads WHERE id = :id AND project = :project;

-- name: insert
INSERT INTO threads (id, project, created_at, body) VALUES (:id, :project, :created_at, :body);

-- name: replace
UPDATE threads SET body = :body WHERE id = :id AND project = :project RETURNING seq;

-- name: delete
DELETE FROM threads WHERE id = :id AND project = :project RETURNING seq;

-- name: position
SELECT seq FROM threads WHERE id = :id AND project = :project;

-- name: page_up
SELECT body FROM threads
 WHERE project = :project
   AND seq > :low AND seq < :high
 ORDER BY seq
 LIMIT :limit;

-- name: page_down
SELECT body FROM threads
 WHERE project = :project
   AND seq > :low AND seq < :high
 ORDER BY seq DESC
 LIMIT :limit;

-- name: lock_runs
SELECT id FROM runs WHERE thread_id = :thread_id;

-- name: delete_messages
DELETE FROM messages WHERE thread_id = :thread_id;

-- name: delete_steps
DELETE FROM steps WHERE run_id IN (SELECT id FROM runs WHERE thread_id = :thread_id);

-- name: delete_events
DELETE FROM events WHERE run_id IN (SELECT id FROM runs WHERE thread_id = :thread_id);

-- name: delete_runs
DELETE FROM runs WHERE thread_id = :thread_id;
