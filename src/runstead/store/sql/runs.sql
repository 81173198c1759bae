-- name: opening
-- The facts that the creation of a run depends on. A project's limit is its own, or else the given one; 0 is none.
SELECT thread.body, assistant.body, projects.max_running, projects.max_queued,
       coalesce(projects.max_queued, :max_queued) > 0 AND EXISTS (
           SELECT 1 FROM runs WHERE project = :project AND status IN ('queued', 'waiting')
            LIMIT 1 OFFSET (SELECT coalesce((SELECT max_queued FROM projects WHERE name = :project), :max_queued)) - 1)
  FROM (SELECT 1) AS one
  LEFT JOIN (SELECT body FROM threads WHERE id = :thread_id AND project = :project) AS thread ON true
  LEFT JOIN (SELECT body FROM assistants WHERE id = :assistant_id AND project = :project) AS assistant ON true
  LEFT JOIN projects ON projects.name = :project;

-- name: insert
-- No row back: the thread has an active run.
INSERT INTO runs (id, project, thread_id, created_at, status, version, last_event, owner, expires_at, behind, body, settings)
VALUES (:id, :project, :thread_id, :created_at, :status, 1, :last_event, :owner, :expires_at, :predecessor, :body, :settings)
ON CONFLICT (thread_id) WHERE active DO NOTHING
RETURNING EXISTS (SELECT 1 FROM messages WHERE thread_id = :thread_id AND behind IS NULL);

-- name: apply
-- The only statement that changes a run. No row back: another writer was first, or the thread was deleted.
-- A run that was stored whole becomes its own settings: of a field that is in both columns, `body` has the value.
UPDATE runs
   SET status = :status, version = version + 1, last_event = :last_event, owner = :owner,
       expires_at = :expires_at, ready_at = :ready_at, delays = :delays, body = :body,
       settings = coalesce(settings, body)
 WHERE id = :id AND version = :version
   AND NOT EXISTS (SELECT 1 FROM deletions WHERE deletions.id = runs.thread_id)
RETURNING version;

-- name: apply_unindexed
-- The same for a change of columns that no index has. SQLite writes the entries of all indexes again that have a column
-- which a statement sets, or a condition on one, even to the same value: half of them for the opening of an answer.
UPDATE runs
   SET version = version + 1, last_event = :last_event, body = :body, settings = coalesce(settings, body)
 WHERE id = :id AND version = :version
   AND NOT EXISTS (SELECT 1 FROM deletions WHERE deletions.id = runs.thread_id)
RETURNING version;

-- name: get
SELECT body, settings, project, version, last_event, owner, behind, ready_at, delays
  FROM runs
 WHERE id = :id AND thread_id = :thread_id AND project = :project
   AND NOT EXISTS (SELECT 1 FROM deletions WHERE deletions.id = :thread_id);

-- name: load
SELECT body, settings, project, version, last_event, owner, behind, ready_at, delays
  FROM runs
 WHERE id = :id AND NOT EXISTS (SELECT 1 FROM deletions WHERE deletions.id = runs.thread_id);

-- name: active
SELECT body, settings FROM runs WHERE thread_id = :thread_id AND project = :project AND active;

-- name: position
SELECT seq FROM runs WHERE id = :id AND thread_id = :thread_id AND project = :project;

-- name: page_up
SELECT body, settings FROM runs
 WHERE thread_id = :thread_id AND project = :project
   AND NOT EXISTS (SELECT 1 FROM deletions WHERE deletions.id = :thread_id)
   AND seq > :low AND seq < :high
 ORDER BY seq
 LIMIT :limit;

-- name: page_down
SELECT body, settings FROM runs
 WHERE thread_id = :thread_id AND project = :project
   AND NOT EXISTS (SELECT 1 FROM deletions WHERE deletions.id = :thread_id)
   AND seq > :low AND seq < :high
 ORDER BY seq DESC
 LIMIT :limit;

-- name: queue_head
SELECT body, settings, project, version, last_event, owner, behind, ready_at, delays
  FROM runs WHERE thread_id = :thread_id AND project = :project AND active;

-- name: queue_successor
SELECT body, settings, project, version, last_event, owner, behind, ready_at, delays
  FROM runs WHERE behind = :id AND status = 'waiting';

-- name: queue_tail
SELECT body, settings, project, version, last_event, owner, behind, ready_at, delays
  FROM runs AS last
 WHERE thread_id = :thread_id AND project = :project
   AND status IN ('queued', 'in_progress', 'requires_action', 'cancelling', 'waiting')
   AND NOT EXISTS (SELECT 1 FROM runs AS next WHERE next.behind = last.id AND next.status = 'waiting')
 ORDER BY seq DESC
 LIMIT 1;

-- name: has_successor
SELECT 1 FROM runs WHERE behind = :id AND status = 'waiting';

-- name: has_waiting
SELECT 1 FROM runs WHERE behind = :id AND status = 'waiting'
 UNION ALL
SELECT 1 FROM messages WHERE behind = :id
 LIMIT 1;

-- name: move_added_messages
-- The messages of the runs that wait behind another one now wait there, too.
UPDATE messages SET behind = :predecessor
 WHERE behind = :id AND brought_by IN (SELECT id FROM runs WHERE behind = :predecessor AND status = 'waiting');

-- name: move_successors
-- The runs that wait behind a run wait behind another one.
UPDATE runs SET behind = :predecessor, version = version + 1 WHERE behind = :id AND status = 'waiting';

-- name: promote_next
UPDATE runs SET behind = NULL, status = 'queued', version = version + 1
 WHERE behind = :id AND status = 'waiting'
RETURNING body, settings, project, version, last_event, owner, behind, ready_at, delays;

-- name: lock_project
-- Where several processes write, this lets one transaction a project go on at a time.
SELECT 1;

-- name: below_limit
SELECT (SELECT count(*) FROM runs WHERE project = :project AND status IN ('in_progress', 'cancelling')) < :most
   AND NOT EXISTS (SELECT 1 FROM runs
                    WHERE status IN ('queued', 'waiting') AND status = 'queued' AND project = :project
                      AND ready_at <= :now);

-- name: has_queued
SELECT 1 FROM runs WHERE project = :project AND status IN ('queued', 'waiting') LIMIT 1;

-- name: lock_project_of
-- The same for the project of a run: its name, and how many runs may be at work, which is its own limit or else the given
-- one; 0 is none.
SELECT runs.project, coalesce(projects.max_running, :most)
  FROM runs LEFT JOIN projects ON projects.name = runs.project
 WHERE runs.id = :id;

-- name: at_limit
SELECT 1 WHERE (SELECT count(*) FROM runs WHERE project = :project AND status IN ('in_progress', 'cancelling')) >= :most;

-- name: next_claimable
-- The index of those that wait is found by its own condition, spelled as it is there.
SELECT body, settings, project, version, last_event, owner, behind, ready_at, delays
  FROM runs
 WHERE status IN ('queued', 'waiting') AND status = 'queued' AND project = :project
   AND ready_at <= :now AND (expires_at IS NULL OR expires_at > :now)
   AND (:most = 0
        OR (SELECT count(*) FROM runs AS busy
             WHERE busy.project = :project AND busy.status IN ('in_progress', 'cancelling')) < :most)
 ORDER BY seq
 LIMIT 1;

-- name: claimable
-- A place is how many of its project would be at work then. The run with the lowest place comes first, and makes way for
-- the next of its project: so no more runs are looked at than are found, however many wait. A project's limit is its own,
-- or else the given one; 0 is none. (A `+` makes a value of a column, which the index can be searched by.)
WITH RECURSIVE
lines (project) AS (
    SELECT min(project) FROM runs WHERE status IN ('queued', 'waiting') AND status = 'queued'
     UNION ALL
    SELECT (SELECT min(runs.project) FROM runs
             WHERE status IN ('queued', 'waiting') AND status = 'queued' AND runs.project > lines.project)
      FROM lines WHERE project IS NOT NULL
),
turns (number, place, most) AS (
    SELECT run.number,
           1 + (SELECT count(*) FROM runs AS busy
                 WHERE busy.project = lines.project AND busy.status IN ('in_progress', 'cancelling')),
           coalesce(nullif(coalesce((SELECT max_running FROM projects WHERE name = lines.project), :most), 0), 1 << 40)
      FROM lines
      JOIN runs AS run
        ON run.number = (SELECT first.number FROM runs AS first
                          WHERE first.status IN ('queued', 'waiting') AND first.status = 'queued'
                            AND first.project = lines.project
                            AND first.ready_at <= :now AND (first.expires_at IS NULL OR first.expires_at > :now)
                          ORDER BY first.seq
                          LIMIT 1)
     UNION ALL
    SELECT run.number, place + 1, most
      FROM turns
      JOIN runs AS last ON last.number = turns.number
      JOIN runs AS run
        ON run.number = (SELECT next.number FROM runs AS next
                          WHERE next.status IN ('queued', 'waiting') AND next.status = 'queued'
                            AND next.project = last.project
                            AND next.ready_at <= :now AND (next.expires_at IS NULL OR next.expires_at > :now)
                            AND next.seq > +last.seq
                          ORDER BY next.seq
                          LIMIT 1)
     WHERE place < most
     ORDER BY 2, 1
     LIMIT :limit
)
SELECT id FROM turns JOIN runs USING (number) WHERE place <= most;

-- name: orphans
SELECT id, owner FROM runs
 WHERE status IN ('in_progress', 'cancelling')
   AND NOT EXISTS (SELECT 1 FROM workers WHERE workers.name = runs.owner)
 ORDER BY owner, seq
 LIMIT :limit;

-- name: owned_by
SELECT id FROM runs WHERE status IN ('in_progress', 'cancelling') AND owner = :owner ORDER BY seq;

-- name: to_stop
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
