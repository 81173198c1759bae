-- name: get_many
SELECT body FROM files
 WHERE id IN (SELECT json_array_elements_text(:ids::json))
   AND project = :project
   AND (expires_at IS NULL OR expires_at > :now);

-- name: sum_of_sizes
SELECT coalesce(sum(bytes), 0)::bigint FROM files WHERE project = :project;

-- name: named
SELECT blob FROM files WHERE blob IN (SELECT json_array_elements_text(:blobs::json));

-- name: unmark_blobs
DELETE FROM blob_removals WHERE blob IN (SELECT json_array_elements_text(:blobs::json));
