-- name: get
-- Whoever is about to move a run holds it, so nobody can be first for ever.
SELECT body, project, version, last_event, owner FROM runs
 WHERE id = :id AND thread_id = :thread_id AND project = :project
   FOR UPDATE;

-- name: load
SELECT body, project, version, last_event, owner FROM runs WHERE id = :id FOR UPDATE;

-- name: held
SELECT id FROM runs
 WHERE status IN ('in_progress', 'cancelling') AND owner IS DISTINCT FROM :owner
 ORDER BY owner, seq
 LIMIT :limit;
