-- name: mark
INSERT INTO deletions (id, kind, project, deleted_at, next_at) VALUES (:id, :kind, :project, :now, :now);

-- name: next
-- With several processes the row is locked, and the other processes skip it.
SELECT id, kind, project, deleted_at FROM deletions WHERE next_at <= :now ORDER BY next_at LIMIT 1;

-- name: postpone
UPDATE deletions SET next_at = :next_at WHERE id = :id;

-- name: finish
DELETE FROM deletions WHERE id = :id;

-- name: messages
-- The rows of a kind that belong to a thread, a run or a webhook: their key, and their size in bytes.
SELECT id, length(body) FROM messages WHERE thread_id = :thread_id LIMIT :limit;

-- name: remove_messages
-- `keys` is a JSON array. The same for the other kinds.
DELETE FROM messages WHERE thread_id = :thread_id AND id IN (SELECT value FROM json_each(:keys));

-- name: pending
SELECT 1 FROM deliveries WHERE thread_id = :thread_id AND status = 'pending' LIMIT 1;

-- name: deliveries
SELECT id, length(payload) FROM deliveries WHERE thread_id = :thread_id LIMIT :limit;

-- name: remove_deliveries
DELETE FROM deliveries WHERE thread_id = :thread_id AND id IN (SELECT value FROM json_each(:keys));

-- name: webhook_deliveries
SELECT id, length(payload) FROM deliveries WHERE webhook_id = :webhook_id LIMIT :limit;

-- name: remove_webhook_deliveries
DELETE FROM deliveries WHERE webhook_id = :webhook_id AND id IN (SELECT value FROM json_each(:keys));

-- name: runs
SELECT id, length(body) + coalesce(length(settings), 0) FROM runs WHERE thread_id = :thread_id LIMIT :limit;

-- name: remove_run
DELETE FROM runs WHERE id = :run_id;

-- name: events
SELECT last, length(body) FROM events WHERE run_id = :run_id LIMIT :limit;

-- name: remove_events
DELETE FROM events WHERE run_id = :run_id AND last IN (SELECT value FROM json_each(:keys));

-- name: steps
SELECT id, length(body) + coalesce(length(journal), 0) FROM steps WHERE run_id = :run_id LIMIT :limit;

-- name: remove_steps
DELETE FROM steps WHERE run_id = :run_id AND id IN (SELECT value FROM json_each(:keys));

-- name: answers
-- Replies about the thread or the vector store, and about what is on it. `0` is the character after `/`.
SELECT key, length(body) FROM answers
 WHERE subject >= :thread_id AND subject < :thread_id || '0' AND project = :project LIMIT :limit;

-- name: remove_answers
-- The keys stay known until they expire: a retry must not do its work again.
UPDATE answers SET body = :nothing, subject = NULL
 WHERE project = :project AND key IN (SELECT value FROM json_each(:keys));

-- name: store_files
SELECT file_id, length(body) FROM vector_store_files WHERE store_id = :store_id LIMIT :limit;

-- name: remove_store_files
DELETE FROM vector_store_files WHERE store_id = :store_id AND file_id IN (SELECT value FROM json_each(:keys));

-- name: file_batches
SELECT id, 100 FROM file_batches WHERE store_id = :store_id LIMIT :limit;

-- name: remove_file_batches
DELETE FROM file_batches WHERE store_id = :store_id AND id IN (SELECT value FROM json_each(:keys));
