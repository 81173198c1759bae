-- name: get
SELECT body, last_active_at, expires_at, in_progress, completed, failed, cancelled, usage_bytes
  FROM vector_stores WHERE id = :id AND project = :project;

-- name: insert
INSERT INTO vector_stores (id, project, created_at, last_active_at, expires_days, body)
VALUES (:id, :project, :created_at, :last_active_at, :expires_days, :body);

-- name: replace
UPDATE vector_stores SET last_active_at = :last_active_at, expires_days = :expires_days, body = :body
 WHERE id = :id AND project = :project
RETURNING seq;

-- name: delete
DELETE FROM vector_stores WHERE id = :id AND project = :project RETURNING seq;

-- name: position
SELECT seq FROM vector_stores WHERE id = :id AND project = :project;

-- name: page_up
SELECT body, last_active_at, expires_at, in_progress, completed, failed, cancelled, usage_bytes
  FROM vector_stores
 WHERE project = :project
   AND seq > :low AND seq < :high
 ORDER BY seq
 LIMIT :limit;

-- name: page_down
SELECT body, last_active_at, expires_at, in_progress, completed, failed, cancelled, usage_bytes
  FROM vector_stores
 WHERE project = :project
   AND seq > :low AND seq < :high
 ORDER BY seq DESC
 LIMIT :limit;

-- name: use
UPDATE vector_stores SET last_active_at = :now
 WHERE id = :id AND project = :project AND last_active_at < :now AND (expires_at IS NULL OR expires_at > :now);

-- name: count
-- Differences to the counts and the usage of a store.
UPDATE vector_stores
   SET in_progress = in_progress + :in_progress, completed = completed + :completed, failed = failed + :failed,
       cancelled = cancelled + :cancelled, usage_bytes = usage_bytes + :usage_bytes
 WHERE id = :id AND project = :project;

-- name: expired
SELECT project, id FROM vector_stores
 WHERE expires_at <= :now AND expires_days IS NOT NULL AND in_progress + completed + failed + cancelled > 0
 ORDER BY expires_at
 LIMIT :limit;

-- name: audit
SELECT project, body, last_active_at, expires_at, in_progress, completed, failed, cancelled, usage_bytes
  FROM vector_stores WHERE id > :after ORDER BY id LIMIT :limit;

-- name: mark_removal
INSERT INTO index_removals (project, store_id, file_id) VALUES (:project, :store_id, :file_id);

-- name: mark_batch
-- The files of a batch that are in progress: earlier versions of them may be in the index.
INSERT INTO index_removals (project, store_id, file_id)
SELECT project, store_id, file_id FROM vector_store_files
 WHERE batch_id = :id AND store_id = :store_id AND project = :project AND status = 'in_progress';

-- name: removals
SELECT number, project, store_id, file_id FROM index_removals WHERE number > 0 ORDER BY number LIMIT :limit;

-- name: removed
-- `numbers` is a JSON array.
DELETE FROM index_removals WHERE number IN (SELECT value FROM json_each(:numbers));
