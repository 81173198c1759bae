-- name: next
-- A locked row is being removed by another process.
SELECT id, kind, project, deleted_at FROM deletions
 WHERE next_at <= :now
 ORDER BY next_at
 LIMIT 1
   FOR UPDATE SKIP LOCKED;

-- name: runs
-- A writer of a run locks it, so nothing is added to the runs once they are locked here.
SELECT id, length(body) + coalesce(length(settings), 0) FROM runs WHERE thread_id = :thread_id LIMIT :limit FOR UPDATE;

-- name: remove_messages
DELETE FROM messages WHERE thread_id = :thread_id AND id IN (SELECT json_array_elements_text(:keys::json));

-- name: remove_deliveries
DELETE FROM deliveries WHERE thread_id = :thread_id AND id IN (SELECT json_array_elements_text(:keys::json));

-- name: remove_webhook_deliveries
DELETE FROM deliveries WHERE webhook_id = :webhook_id AND id IN (SELECT json_array_elements_text(:keys::json));

-- name: remove_events
DELETE FROM events WHERE run_id = :run_id AND last IN (SELECT json_array_elements_text(:keys::json)::bigint);

-- name: remove_steps
DELETE FROM steps WHERE run_id = :run_id AND id IN (SELECT json_array_elements_text(:keys::json));

-- name: remove_answers
UPDATE answers SET body = :nothing, subject = NULL
 WHERE project = :project AND key IN (SELECT json_array_elements_text(:keys::json));

-- name: remove_store_files
DELETE FROM vector_store_files WHERE store_id = :store_id AND file_id IN (SELECT json_array_elements_text(:keys::json));

-- name: remove_file_batches
DELETE FROM file_batches WHERE store_id = :store_id AND id IN (SELECT json_array_elements_text(:keys::json));
