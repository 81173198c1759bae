-- name: insert
-- No row back: the thread has an active run.
INSERT INTO runs (id, project, thread_id, created_at, status, version, last_event, owner, expires_at, behind, body)
VALUES (:id, :project, :thread_id, :created_at, :status, 1, :last_event, :owner, :expires_at, :behind, :body)
ON CONFLICT (thread_id) WHERE active DO NOTHING
RETURNING seq;

-- name: move
-- The only statement that changes a run. No row back: someone else moved first.
UPDATE runs
   SET status = :status, version = version + 1, last_event = :last_event, owner = :owner,
       expires_at = :expires_at, ready_at = :ready_at, delays = :delays, body = :body
 WHERE id = :id AND version = :version
RETURNING version;

-- name: get
SELECT body, project, version, last_event, owner, behind, ready_at, delays
  FROM runs
 WHERE id = :id AND thread_id = :thread_id AND project = :project;

-- name: load
SELECT body, project, version, last_event, owner, behind, ready_at, delays
  FROM runs WHERE id = :id;

-- name: active
SELECT body FROM runs WHERE thread_id = :thread_id AND project = :project AND active;

-- name: place
SELECT created_at, seq FROM runs WHERE id = :id AND thread_id = :thread_id AND project = :project;

-- name: page_up
SELECT body FROM runs
 WHERE thread_id = :thread_id AND project = :project
   AND (created_at, seq) > (:low_time, :low_seq)
   AND (created_at, seq) < (:high_time, :high_seq)
 ORDER BY created_at, seq
 LIMIT :limit;

-- name: page_down
SELECT body FROM runs
 WHERE thread_id = :thread_id AND project = :project
   AND (created_at, seq) > (:low_time, :low_seq)
   AND (created_at, seq) < (:high_time, :high_seq)
 ORDER BY created_at DESC, seq DESC
 LIMIT :limit;

-- name: last_in_line
SELECT body, project, version, last_event, owner, behind, ready_at, delays
  FROM runs AS last
 WHERE thread_id = :thread_id AND project = :project
   AND status IN ('queued', 'in_progress', 'requires_action', 'cancelling', 'waiting')
   AND NOT EXISTS (SELECT 1 FROM runs AS next WHERE next.behind = last.id AND next.status = 'waiting')
 ORDER BY seq DESC
 LIMIT 1;

-- name: pass_on
-- Who waited behind a run that has ended waits behind what that one waited for.
UPDATE runs SET behind = :behind, version = version + 1 WHERE behind = :id AND status = 'waiting';

-- name: release
UPDATE runs SET behind = NULL, status = 'queued', version = version + 1
 WHERE behind = :id AND status = 'waiting'
RETURNING body, project, version, last_event, owner, behind, ready_at, delays;

-- name: running
SELECT count(*) FROM runs WHERE project = :project AND status IN ('in_progress', 'cancelling');

-- name: hold_project
-- Where several processes write: of those who ask for a project, one at a time goes on.
SELECT 1;

-- name: crowded
SELECT 1 FROM runs WHERE project = :project AND status = 'queued' LIMIT 1 OFFSET :most - 1;

-- name: ready
SELECT id
  FROM (SELECT id, project, row_number() OVER (PARTITION BY project ORDER BY created_at, seq) AS place
          FROM runs WHERE status = 'queued' AND ready_at <= :now) AS line
 WHERE place <= :most - (SELECT count(*) FROM runs AS busy
                          WHERE busy.project = line.project AND busy.status IN ('in_progress', 'cancelling'))
 ORDER BY place
 LIMIT :limit;

-- name: orphans
SELECT id, owner FROM runs
 WHERE status IN ('in_progress', 'cancelling')
   AND NOT EXISTS (SELECT 1 FROM workers WHERE workers.name = runs.owner)
 ORDER BY owner, seq
 LIMIT :limit;

-- name: held
SELECT id FROM runs WHERE status IN ('in_progress', 'cancelling') AND owner = :owner ORDER BY seq;

-- name: stopping
SELECT id FROM runs
 WHERE status IN ('in_progress', 'cancelling') AND owner = :owner
   AND (status = 'cancelling' OR expires_at <= :now)
 ORDER BY seq
 LIMIT :limit;

-- name: overdue
SELECT id FROM runs WHERE active AND expires_at <= :now ORDER BY expires_at, seq LIMIT :limit;

-- name: overdue_waiting
SELECT id FROM runs WHERE status = 'waiting' AND expires_at <= :now ORDER BY expires_at, seq LIMIT :limit;

-- name: next_deadline
SELECT expires_at FROM runs WHERE active AND expires_at IS NOT NULL ORDER BY expires_at LIMIT 1;
