-- name: get
SELECT body FROM assistants WHERE id = :id AND project = :project;

-- name: insert
INSERT INTO assistants (id, project, created_at, body) VALUES (:id, :project, :created_at, :body);

-- name: replace
UPDATE assistants SET body = :body WHERE id = :id AND project = :project RETURNING seq;

-- name: delete
DELETE FROM assistants WHERE id = :id AND project = :project RETURNING seq;

-- name: place
SELECT created_at, seq FROM assistants WHERE id = :id AND project = :project;

-- name: page_up
SELECT body FROM assistants
 WHERE project = :project
   AND (created_at, seq) > (:low_time, :low_seq)
   AND (created_at, seq) < (:high_time, :high_seq)
 ORDER BY created_at, seq
 LIMIT :limit;

-- name: page_down
SELECT body FROM assistants
 WHERE project = :project
   AND (created_at, seq) > (:low_time, :low_seq)
   AND (created_at, seq) < (:high_time, :high_seq)
 ORDER BY created_at DESC, seq DESC
 LIMIT :limit;
