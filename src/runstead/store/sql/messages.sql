-- name: get
SELECT body FROM messages WHERE id = :id AND thread_id = :thread_id AND project = :project;

-- name: insert
INSERT INTO messages (id, project, thread_id, run_id, created_at, behind, brought_by, body)
VALUES (:id, :project, :thread_id, :run_id, :created_at, :predecessor, :added_by, :body);

-- name: add
-- No row back: the thread, which is locked, has an active run.
INSERT INTO messages (id, project, thread_id, run_id, created_at, behind, brought_by, body)
SELECT :id, :project, :thread_id, :run_id, :created_at, :predecessor, :added_by, :body
 WHERE NOT EXISTS (SELECT 1 FROM runs WHERE thread_id = :thread_id AND active)
RETURNING seq;

-- name: replace
UPDATE messages SET body = :body
 WHERE id = :id AND thread_id = :thread_id AND project = :project
RETURNING seq;

-- name: delete
DELETE FROM messages WHERE id = :id AND thread_id = :thread_id AND project = :project RETURNING seq;

-- name: position
SELECT position FROM transcript WHERE id = :id AND thread_id = :thread_id AND project = :project;

-- name: page_up
SELECT body FROM transcript
 WHERE thread_id = :thread_id AND project = :project
   AND NOT EXISTS (SELECT 1 FROM deletions WHERE deletions.id = :thread_id)
   AND position > :low AND position < :high
 ORDER BY position
 LIMIT :limit;

-- name: page_down
SELECT body FROM transcript
 WHERE thread_id = :thread_id AND project = :project
   AND NOT EXISTS (SELECT 1 FROM deletions WHERE deletions.id = :thread_id)
   AND position > :low AND position < :high
 ORDER BY position DESC
 LIMIT :limit;

-- name: run_page_up
SELECT body FROM messages
 WHERE run_id = :run_id AND thread_id = :thread_id AND project = :project
   AND NOT EXISTS (SELECT 1 FROM deletions WHERE deletions.id = :thread_id)
   AND seq > :low AND seq < :high
 ORDER BY seq
 LIMIT :limit;

-- name: run_page_down
SELECT body FROM messages
 WHERE run_id = :run_id AND thread_id = :thread_id AND project = :project
   AND NOT EXISTS (SELECT 1 FROM deletions WHERE deletions.id = :thread_id)
   AND seq > :low AND seq < :high
 ORDER BY seq DESC
 LIMIT :limit;

-- name: newest
-- As `page_down`, of those that have joined the thread.
SELECT body FROM transcript
 WHERE thread_id = :thread_id AND project = :project AND behind IS NULL
   AND position > :low AND position < :high
 ORDER BY position DESC
 LIMIT :limit;

-- name: pass_on
UPDATE messages SET behind = :predecessor WHERE behind = :run_id;

-- name: waiting
SELECT id FROM messages WHERE behind = :run_id ORDER BY behind, seq;

-- name: join_thread
-- The message stands behind everything that was added meanwhile.
UPDATE messages SET behind = NULL, brought_by = NULL, number = (SELECT max(number) + 1 FROM messages) WHERE id = :id;
