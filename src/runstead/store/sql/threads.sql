-- name: get
SELECT body FROM threads WHERE id = :id AND project = :project;

-- name: insert
INSERT INTO threads (id, project, created_at, body) VALUES (:id, :project, :created_at, :body);

-- name: replace
UPDATE threads SET body = :body WHERE id = :id AND project = :project RETURNING seq;

-- name: delete
DELETE FROM threads WHERE id = :id AND project = :project RETURNING seq;

-- name: place
SELECT created_at, seq FROM threads WHERE id = :id AND project = :project;

-- name: page_up
SELECT body FROM threads
 WHERE project = :project
   AND (created_at, seq) > (:low_time, :low_seq)
   AND (created_at, seq) < (:high_time, :high_seq)
 ORDER BY created_at, seq
 LIMIT :limit;

-- name: page_down
SELECT body FROM threads
 WHERE project = :project
   AND (created_at, seq) > (:low_time, :low_seq)
   AND (created_at, seq) < (:high_time, :high_seq)
 ORDER BY created_at DESC, seq DESC
 LIMIT :limit;
