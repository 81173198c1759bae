-- name: get
SELECT body, generation, old_until FROM webhooks WHERE id = :id AND project = :project;

-- name: load
SELECT body, generation, old_until FROM webhooks WHERE id = :id AND enabled;

-- name: insert
INSERT INTO webhooks (id, project, created_at, enabled, events, body)
VALUES (:id, :project, :created_at, :enabled, :events, :body);

-- name: replace
UPDATE webhooks
   SET enabled = :enabled, events = :events, generation = :generation, old_until = :old_until, body = :body
 WHERE id = :id AND project = :project
RETURNING seq;

-- name: delete
DELETE FROM webhooks WHERE id = :id AND project = :project RETURNING seq;

-- name: count
SELECT count(*) FROM webhooks WHERE project = :project;

-- name: place
SELECT created_at, seq FROM webhooks WHERE id = :id AND project = :project;

-- name: page_up
SELECT body FROM webhooks
 WHERE project = :project
   AND (created_at, seq) > (:low_time, :low_seq)
   AND (created_at, seq) < (:high_time, :high_seq)
 ORDER BY created_at, seq
 LIMIT :limit;

-- name: page_down
SELECT body FROM webhooks
 WHERE project = :project
   AND (created_at, seq) > (:low_time, :low_seq)
   AND (created_at, seq) < (:high_time, :high_seq)
 ORDER BY created_at DESC, seq DESC
 LIMIT :limit;
