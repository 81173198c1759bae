-- name: get
-- Whoever is about to move a run holds it, so nobody can be first for ever.
SELECT body, project, version, last_event, owner, behind, ready_at, delays
  FROM runs
 WHERE id = :id AND thread_id = :thread_id AND project = :project
   FOR UPDATE;

-- name: load
SELECT body, project, version, last_event, owner, behind, ready_at, delays
  FROM runs WHERE id = :id FOR UPDATE;

-- name: last_in_line
SELECT body, project, version, last_event, owner, behind, ready_at, delays
  FROM runs AS last
 WHERE thread_id = :thread_id AND project = :project
   AND status IN ('queued', 'in_progress', 'requires_action', 'cancelling', 'waiting')
   AND NOT EXISTS (SELECT 1 FROM runs AS next WHERE next.behind = last.id AND next.status = 'waiting')
 ORDER BY seq DESC
 LIMIT 1
   FOR UPDATE;

-- name: hold_project
SELECT pg_advisory_xact_lock(hashtext('runstead.room'), hashtext(:project));
