-- name: get
-- `xmin` marks this state of the row. It is not held: who holds its thread and who holds its run may both write it.
SELECT body, xmin FROM messages WHERE id = :id AND thread_id = :thread_id AND project = :project;

-- name: replace
-- No row back: someone replaced it since it was read, or it is gone.
UPDATE messages SET body = :body
 WHERE id = :id AND thread_id = :thread_id AND project = :project AND (:mark::xid IS NULL OR xmin = :mark)
RETURNING xmin;

-- name: join_thread
-- The message stands behind everything that was added meanwhile.
UPDATE messages SET behind = NULL, brought_by = NULL, created_at = :created_at, seq = DEFAULT WHERE id = :id;
