-- name: get
-- `xmin` marks this state of the row. The row is not locked: a writer that locked its thread and one that locked its run
-- may both write it.
SELECT body, xmin FROM messages WHERE id = :id AND thread_id = :thread_id AND project = :project;

-- name: replace
-- No row back: another writer has replaced it since it was read, or it is deleted.
UPDATE messages SET body = :body
 WHERE id = :id AND thread_id = :thread_id AND project = :project AND (:mark::xid IS NULL OR xmin = :mark)
RETURNING xmin;

-- name: join_thread
-- The message stands behind everything that was added meanwhile.
UPDATE messages SET behind = NULL, brought_by = NULL, seq = DEFAULT WHERE id = :id;
