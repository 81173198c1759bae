-- name: get_many
SELECT body, status, usage_bytes FROM vector_store_files
 WHERE store_id = :store_id AND file_id IN (SELECT json_array_elements_text(:ids::json)) AND project = :project;

-- name: sums_of
SELECT status, count(*), sum(usage_bytes)::bigint FROM vector_store_files
 WHERE store_id = :store_id AND file_id IN (SELECT json_array_elements_text(:ids::json)) AND project = :project
 GROUP BY status;

-- name: count_in_progress
SELECT coalesce(sum(in_progress), 0)::bigint FROM vector_stores
 WHERE id IN (SELECT json_array_elements_text(:ids::json)) AND project = :project;

-- name: batch_page_up
SELECT body, status, usage_bytes FROM vector_store_files
 WHERE batch_id = :batch_id AND store_id = :store_id AND project = :project
   AND (:status::text IS NULL OR status = :status)
   AND seq > :low AND seq < :high
 ORDER BY seq
 LIMIT :limit;

-- name: batch_page_down
SELECT body, status, usage_bytes FROM vector_store_files
 WHERE batch_id = :batch_id AND store_id = :store_id AND project = :project
   AND (:status::text IS NULL OR status = :status)
   AND seq > :low AND seq < :high
 ORDER BY seq DESC
 LIMIT :limit;

-- name: claim
-- Another process that claims at the same time gets another file.
WITH due AS MATERIALIZED (
    SELECT store_id, file_id FROM vector_store_files
     WHERE project = :project AND next_at <= :now
     ORDER BY next_at, seq
     LIMIT 1
       FOR UPDATE SKIP LOCKED
)
UPDATE vector_store_files SET claims = claims + 1, attempts = attempts + 1, next_at = :until
  FROM due
 WHERE vector_store_files.store_id = due.store_id AND vector_store_files.file_id = due.file_id
RETURNING body, status, usage_bytes, claims, attempts;

-- name: sums
SELECT status, count(*), sum(usage_bytes)::bigint FROM vector_store_files WHERE store_id = :store_id GROUP BY status;
