-- name: get
SELECT body, status, usage_bytes FROM vector_store_files
 WHERE store_id = :store_id AND file_id = :id AND project = :project;

-- name: get_many
-- `ids` is a JSON array.
SELECT body, status, usage_bytes FROM vector_store_files
 WHERE store_id = :store_id AND file_id IN (SELECT value FROM json_each(:ids)) AND project = :project;

-- name: add
-- A file that is added again keeps its place in the list.
INSERT INTO vector_store_files (store_id, file_id, project, batch_id, status, usage_bytes, next_at, body)
VALUES (:store_id, :id, :project, :batch_id, :status, :usage_bytes, :next_at, :body)
ON CONFLICT (store_id, file_id) DO UPDATE
   SET batch_id = coalesce(excluded.batch_id, vector_store_files.batch_id), status = excluded.status,
       usage_bytes = excluded.usage_bytes, next_at = excluded.next_at, body = excluded.body,
       claims = vector_store_files.claims + 1, attempts = 0;

-- name: replace
UPDATE vector_store_files SET body = :body
 WHERE store_id = :store_id AND file_id = :id AND project = :project
RETURNING seq;

-- name: delete
DELETE FROM vector_store_files
 WHERE store_id = :store_id AND file_id = :id AND project = :project
RETURNING status, usage_bytes;

-- name: some
SELECT file_id FROM vector_store_files WHERE store_id = :store_id AND project = :project ORDER BY seq LIMIT :limit;

-- name: position
SELECT seq FROM vector_store_files WHERE store_id = :store_id AND file_id = :id AND project = :project;

-- name: page_up
SELECT body, status, usage_bytes FROM vector_store_files
 WHERE store_id = :store_id AND project = :project
   AND seq > :low AND seq < :high
 ORDER BY seq
 LIMIT :limit;

-- name: page_down
SELECT body, status, usage_bytes FROM vector_store_files
 WHERE store_id = :store_id AND project = :project
   AND seq > :low AND seq < :high
 ORDER BY seq DESC
 LIMIT :limit;

-- name: status_page_up
SELECT body, status, usage_bytes FROM vector_store_files
 WHERE store_id = :store_id AND status = :status AND project = :project
   AND seq > :low AND seq < :high
 ORDER BY seq
 LIMIT :limit;

-- name: status_page_down
SELECT body, status, usage_bytes FROM vector_store_files
 WHERE store_id = :store_id AND status = :status AND project = :project
   AND seq > :low AND seq < :high
 ORDER BY seq DESC
 LIMIT :limit;

-- name: batch_page_up
SELECT body, status, usage_bytes FROM vector_store_files
 WHERE batch_id = :batch_id AND store_id = :store_id AND project = :project
   AND (:status IS NULL OR status = :status)
   AND seq > :low AND seq < :high
 ORDER BY seq
 LIMIT :limit;

-- name: batch_page_down
SELECT body, status, usage_bytes FROM vector_store_files
 WHERE batch_id = :batch_id AND store_id = :store_id AND project = :project
   AND (:status IS NULL OR status = :status)
   AND seq > :low AND seq < :high
 ORDER BY seq DESC
 LIMIT :limit;

-- name: stores_of
SELECT store_id FROM vector_store_files WHERE file_id = :file_id AND project = :project;

-- name: sums_of
-- `ids` is a JSON array.
SELECT status, count(*), sum(usage_bytes) FROM vector_store_files
 WHERE store_id = :store_id AND file_id IN (SELECT value FROM json_each(:ids)) AND project = :project
 GROUP BY status;

-- name: count_in_progress
-- `ids` is a JSON array.
SELECT coalesce(sum(in_progress), 0) FROM vector_stores
 WHERE id IN (SELECT value FROM json_each(:ids)) AND project = :project;

-- name: due_projects
-- From one project that has something in progress to the next, however much each has.
WITH RECURSIVE busy (project) AS (
    SELECT min(project) FROM vector_store_files WHERE next_at IS NOT NULL
    UNION ALL
    SELECT (SELECT min(next.project) FROM vector_store_files AS next
             WHERE next.next_at IS NOT NULL AND next.project > busy.project)
      FROM busy WHERE busy.project IS NOT NULL
)
SELECT project FROM busy
 WHERE EXISTS (SELECT 1 FROM vector_store_files AS due
                WHERE due.project = busy.project AND due.next_at <= :now);

-- name: claim
UPDATE vector_store_files SET claims = claims + 1, attempts = attempts + 1, next_at = :until
 WHERE (store_id, file_id) IN (SELECT due.store_id, due.file_id FROM vector_store_files AS due
                                WHERE due.project = :project AND due.next_at <= :now
                                ORDER BY due.next_at, due.seq
                                LIMIT 1)
RETURNING body, status, usage_bytes, claims, attempts;

-- name: renew
UPDATE vector_store_files SET next_at = :at
 WHERE store_id = :store_id AND file_id = :id AND claims = :claims AND status = 'in_progress'
RETURNING seq;

-- name: release
-- The attempt does not count.
UPDATE vector_store_files SET next_at = :at, attempts = attempts - 1
 WHERE store_id = :store_id AND file_id = :id AND claims = :claims AND status = 'in_progress'
RETURNING seq;

-- name: release_all
UPDATE vector_store_files SET next_at = :now WHERE next_at > :now;

-- name: finish
-- The store may have been deleted since the claim.
UPDATE vector_store_files SET status = :status, usage_bytes = :usage_bytes, next_at = NULL, body = :body
 WHERE store_id = :store_id AND file_id = :id AND claims = :claims AND status = 'in_progress'
   AND EXISTS (SELECT 1 FROM vector_stores WHERE vector_stores.id = :store_id)
RETURNING seq;

-- name: sums
SELECT status, count(*), sum(usage_bytes) FROM vector_store_files WHERE store_id = :store_id GROUP BY status;

-- name: audit
SELECT project, body, status, usage_bytes FROM vector_store_files
 WHERE (store_id, file_id) > (:store_id, :file_id)
 ORDER BY store_id, file_id
 LIMIT :limit;

-- name: get_batch
SELECT id, created_at FROM file_batches WHERE id = :id AND store_id = :store_id AND project = :project;

-- name: insert_batch
INSERT INTO file_batches (id, store_id, project, created_at) VALUES (:id, :store_id, :project, :created_at);

-- name: batch_counts
SELECT status, count(*) FROM vector_store_files WHERE batch_id = :id AND project = :project GROUP BY status;

-- name: cancel_batch
UPDATE vector_store_files SET status = 'cancelled', next_at = NULL
 WHERE batch_id = :id AND store_id = :store_id AND project = :project AND status = 'in_progress'
RETURNING seq;
