-- name: get
-- A writer locks the store: what it counts and adds is one after the other.
SELECT body, last_active_at, expires_at, in_progress, completed, failed, cancelled, usage_bytes
  FROM vector_stores WHERE id = :id AND project = :project FOR UPDATE;

-- name: removed
DELETE FROM index_removals WHERE number IN (SELECT json_array_elements_text(:numbers::json)::bigint);
