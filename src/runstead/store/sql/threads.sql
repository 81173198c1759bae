-- name: get
SELECT body FROM threads WHERE id = :id AND project = :project;

-- name: insert
INSERT INTO threads (id, project, created_at, body) VALUES (:id, :project, :created_at, :body);

-- name: replace
UPDATE threads SET body = :body WHERE id = :id AND project = :project RETURNING seq;

-- name: delete
DELETE FROM threads WHERE id = :id AND project = :project RETURNING seq;

-- name: position
SELECT seq FROM threads WHERE id = :id AND project = :project;

-- name: page_up
SELECT body FROM threads
 WHERE project = :project
   AND seq > :low AND seq < :high
 ORDER BY seq
 LIMIT :limit;

-- name: page_down
SELECT body FROM threads
 WHERE project = :project
   AND seq > :low AND seq < :high
 ORDER BY seq DESC
 LIMIT :limit;
