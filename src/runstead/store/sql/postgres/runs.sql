-- name: get
-- Whoever is about to move a run holds it, so nobody can be first for ever.
SELECT body, project, version, last_event, owner, behind, ready_at, delays
  FROM runs
 WHERE id = :id AND thread_id = :thread_id AND project = :project
   FOR UPDATE;

-- name: load
SELECT body, project, version, last_event, owner, behind, ready_at, delays
  FROM runs WHERE id = :id FOR UPDATE;

-- name: queue_head
SELECT body, project, version, last_event, owner, behind, ready_at, delays
  FROM runs WHERE thread_id = :thread_id AND project = :project AND active
   FOR UPDATE;

-- name: queue_successor
SELECT body, project, version, last_event, owner, behind, ready_at, delays
  FROM runs WHERE behind = :id AND status = 'waiting'
   FOR UPDATE;

-- name: queue_tail
SELECT body, project, version, last_event, owner, behind, ready_at, delays
  FROM runs AS last
 WHERE thread_id = :thread_id AND project = :project
   AND status IN ('queued', 'in_progress', 'requires_action', 'cancelling', 'waiting')
   AND NOT EXISTS (SELECT 1 FROM runs AS next WHERE next.behind = last.id AND next.status = 'waiting')
 ORDER BY seq DESC
 LIMIT 1
   FOR UPDATE;

-- name: lock_project
SELECT pg_advisory_xact_lock(hashtext('runstead.room'), hashtext(:project));

-- name: lock_project_of
SELECT project, pg_advisory_xact_lock(hashtext('runstead.room'), hashtext(project)) FROM runs WHERE id = :id;

-- name: next_claimable
-- A run that somebody else is about to move is passed over: nobody waits here.
SELECT body, project, version, last_event, owner, behind, ready_at, delays
  FROM runs
 WHERE status = 'queued' AND project = (SELECT project FROM runs WHERE id = :id)
   AND ready_at <= :now AND (expires_at IS NULL OR expires_at > :now)
 ORDER BY created_at, seq
 LIMIT 1
   FOR UPDATE SKIP LOCKED;

-- name: claimable
-- A place is how many of its project would be at work then. Who has the lowest is told first. Of each project no more
-- is looked at than may be told.
WITH RECURSIVE lines (project) AS (
    (SELECT project FROM runs WHERE status = 'queued' ORDER BY project LIMIT 1)
     UNION ALL
    SELECT (SELECT next.project FROM runs AS next
             WHERE next.status = 'queued' AND next.project > lines.project
             ORDER BY next.project LIMIT 1)
      FROM lines WHERE lines.project IS NOT NULL
)
SELECT turn.id
  FROM lines
 CROSS JOIN LATERAL (
        SELECT count(*) AS running FROM runs
         WHERE runs.project = lines.project AND status IN ('in_progress', 'cancelling')
       ) AS busy
 CROSS JOIN LATERAL (
        SELECT id, created_at, seq, busy.running + row_number() OVER (ORDER BY created_at, seq) AS place
          FROM runs
         WHERE status = 'queued' AND runs.project = lines.project
           AND ready_at <= :now AND (expires_at IS NULL OR expires_at > :now)
         ORDER BY created_at, seq
         LIMIT least(greatest(:most - busy.running, 0), :limit)
       ) AS turn
 ORDER BY place, created_at, seq
 LIMIT :limit;

-- name: orphans
-- From one owner to the next, not from run to run: few hold many.
WITH RECURSIVE owners (name) AS (
    SELECT min(owner) FROM runs WHERE status IN ('in_progress', 'cancelling')
     UNION ALL
    SELECT (SELECT min(next.owner) FROM runs AS next
             WHERE next.status IN ('in_progress', 'cancelling') AND next.owner > owners.name)
      FROM owners WHERE owners.name IS NOT NULL
)
SELECT runs.id, runs.owner
  FROM owners JOIN runs ON runs.owner = owners.name AND runs.status IN ('in_progress', 'cancelling')
 WHERE NOT EXISTS (SELECT 1 FROM workers WHERE workers.name = owners.name)
 ORDER BY runs.owner, runs.seq
 LIMIT :limit;
