-- name: get
SELECT body FROM assistants WHERE id = :id AND project = :project;

-- name: insert
INSERT INTO assistants (id, project, created_at, body) VALUES (:id, :project, :created_at, :body);

-- name: replace
UPDATE assistants SET body = :body WHERE id = :id AND project = :project RETURNING seq;

-- name: delete
DELETE FROM assistants WHERE id = :id AND project = :project RETURNING seq;

-- name: position
SELECT seq FROM assistants WHERE id = :id AND project = :project;

-- name: page_up
SELECT body FROM assistants
 WHERE project = :project
   AND seq > :low AND seq < :high
 ORDER BY seq
 LIMIT :limit;

-- name: page_down
SELECT body FROM assistants
 WHERE project = :project
   AND seq > :low AND seq < :high
 ORDER BY seq DESC
 LIMIT :limit;
