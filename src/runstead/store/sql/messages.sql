-- name: get
SELECT body FROM messages WHERE id = :id AND thread_id = :thread_id AND project = :project;

-- name: insert
-- `created_at` is the place in the list.
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

-- name: place
SELECT created_at, seq FROM messages WHERE id = :id AND thread_id = :thread_id AND project = :project;

-- name: page_up
SELECT body FROM messages
 WHERE thread_id = :thread_id AND project = :project
   AND NOT EXISTS (SELECT 1 FROM deletions WHERE deletions.id = :thread_id)
   AND (created_at, seq) > (:low_time, :low_seq)
   AND (created_at, seq) < (:high_time, :high_seq)
 ORDER BY created_at, seq
 LIMIT :limit;

-- name: page_down
SELECT body FROM messages
 WHERE thread_id = :thread_id AND project = :project
   AND NOT EXISTS (SELECT 1 FROM deletions WHERE deletions.id = :thread_id)
   AND (created_at, seq) > (:low_time, :low_seq)
   AND (created_at, seq) < (:high_time, :high_seq)
 ORDER BY created_at DESC, seq DESC
 LIMIT :limit;

-- name: run_page_up
SELECT body FROM messages
 WHERE run_id = :run_id AND thread_id = :thread_id AND project = :project
   AND NOT EXISTS (SELECT 1 FROM deletions WHERE deletions.id = :thread_id)
   AND (created_at, seq) > (:low_time, :low_seq)
   AND (created_at, seq) < (:high_time, :high_seq)
 ORDER BY created_at, seq
 LIMIT :limit;

-- name: run_page_down
SELECT body FROM messages
 WHERE run_id = :run_id AND thread_id = :thread_id AND project = :project
   AND NOT EXISTS (SELECT 1 FROM deletions WHERE deletions.id = :thread_id)
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

-- name: end
-- The place of the last message that has joined the thread.
SELECT created_at FROM messages
 WHERE thread_id = :thread_id AND project = :project AND behind IS NULL
 ORDER BY created_at DESC, seq DESC
 LIMIT 1;

-- name: pass_on
UPDATE messages SET behind = :predecessor WHERE behind = :run_id;

-- name: waiting
SELECT id, body FROM messages WHERE behind = :run_id ORDER BY behind, seq;

-- name: join_thread
-- The message stands behind everything that was added meanwhile.
UPDATE messages
   SET behind = NULL, brought_by = NULL, created_at = :created_at, number = (SELECT max(number) + 1 FROM messages)
 WHERE id = :id;
