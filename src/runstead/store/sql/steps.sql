-- name: get
SELECT body FROM steps WHERE id = :id AND run_id = :run_id AND project = :project;

-- name: insert
INSERT INTO steps (id, project, run_id, created_at, body, journal)
VALUES (:id, :project, :run_id, :created_at, :body, :journal);

-- name: replace
UPDATE steps SET body = :body, journal = :journal
 WHERE id = :id AND run_id = :run_id AND project = :project
RETURNING seq;

-- name: position
SELECT seq FROM steps WHERE id = :id AND run_id = :run_id AND project = :project;

-- name: page_up
SELECT body FROM steps
 WHERE run_id = :run_id AND project = :project
   AND seq > :low AND seq < :high
 ORDER BY seq
 LIMIT :limit;

-- name: page_down
SELECT body FROM steps
 WHERE run_id = :run_id AND project = :project
   AND seq > :low AND seq < :high
 ORDER BY seq DESC
 LIMIT :limit;

-- name: newest
SELECT body, journal FROM steps WHERE run_id = :run_id ORDER BY seq DESC LIMIT :limit;

-- name: spent
SELECT body FROM steps WHERE run_id = :run_id;

-- name: of_run
SELECT body, journal FROM steps WHERE run_id = :run_id ORDER BY seq;
