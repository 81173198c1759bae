-- name: opening
-- A writer locks the thread: what it decides by it stays true until it has written.
SELECT thread.body, assistant.body, projects.max_running, projects.max_queued, waiting.full
  FROM (SELECT 1) AS one
  LEFT JOIN (SELECT body FROM threads WHERE id = :thread_id AND project = :project FOR UPDATE) AS thread ON true
  LEFT JOIN (SELECT body FROM assistants WHERE id = :assistant_id AND project = :project) AS assistant ON true
  LEFT JOIN projects ON projects.name = :project
  LEFT JOIN LATERAL (
         SELECT true AS full FROM runs
          WHERE project = :project AND status IN ('queued', 'waiting')
            AND coalesce(projects.max_queued, :max_queued::bigint) > 0
         OFFSET greatest(coalesce(projects.max_queued, :max_queued::bigint) - 1, 0)
          LIMIT 1
       ) AS waiting ON true;

-- name: insert
-- A new run whole: with its events and messages. No row back: the thread has an active run.
WITH run AS (
    INSERT INTO runs (id, project, thread_id, created_at, status, version, last_event, owner, expires_at, behind, body, settings)
    VALUES (:id, :project, :thread_id, :created_at, :status, 1, :last_event, :owner, :expires_at, :predecessor, :body, :settings)
    ON CONFLICT (thread_id) WHERE active DO NOTHING
    RETURNING id, project
), reported AS (
    INSERT INTO events (run_id, project, first, last, body)
    SELECT run.id, run.project, 1, :last_event, :events::bytea FROM run WHERE :last_event > 0
), added AS (
    INSERT INTO messages (id, project, thread_id, run_id, created_at, behind, brought_by, body)
    SELECT new.id, run.project, :thread_id, new.run_id, new.created_at, :predecessor, :added_by, new.body
      FROM run, unnest(:message_ids::text[], :message_runs::text[], :message_times::bigint[], :message_bodies::bytea[])
                WITH ORDINALITY AS new (id, run_id, created_at, body, place)
     ORDER BY new.place
)
SELECT EXISTS (SELECT 1 FROM messages WHERE thread_id = :thread_id AND behind IS NULL) FROM run;

-- name: apply
-- A change whole. The only statement that changes a run. No row back: another writer was first.
-- Everything else is written by way of `run`, so it is written only when the run is, and after it.
-- `single` says that the statement commits by itself. Then a run ends only while nothing waits behind it. A run or message
-- that was queued behind it since this statement began is seen by `followed`: PostgreSQL reads the row again after waiting
-- for its lock.
WITH run AS (
    UPDATE runs
       SET status = :status, version = version + 1, last_event = :last_event, owner = :owner,
           expires_at = :expires_at, ready_at = :ready_at, delays = :delays, body = :body,
           settings = coalesce(settings, runs.body)
     WHERE id = :id AND version = :version
       AND NOT EXISTS (SELECT 1 FROM deletions WHERE deletions.id = runs.thread_id)
       AND (NOT :single::boolean
            OR NOT followed
               AND NOT EXISTS (SELECT 1 FROM runs AS next WHERE next.behind = :id AND next.status = 'waiting')
               AND NOT EXISTS (SELECT 1 FROM messages WHERE messages.behind = :id))
    RETURNING id, project, thread_id
), reported AS (
    INSERT INTO events (run_id, project, first, last, body)
    SELECT run.id, run.project, :first_event, :last_event, :events::bytea FROM run WHERE :first_event <= :last_event
), opened AS (
    INSERT INTO steps (id, project, run_id, created_at, body, journal)
    SELECT new.id, run.project, run.id, new.created_at, new.body, new.journal
      FROM run, unnest(:new_step_ids::text[], :new_step_times::bigint[], :new_step_bodies::bytea[],
                       :new_step_journals::bytea[]) WITH ORDINALITY AS new (id, created_at, body, journal, place)
     ORDER BY new.place
), stepped AS (
    UPDATE steps SET body = new.body, journal = new.journal
      FROM run, unnest(:step_ids::text[], :step_bodies::bytea[], :step_journals::bytea[]) AS new (id, body, journal)
     WHERE steps.id = new.id AND steps.run_id = run.id
), added AS (
    INSERT INTO messages (id, project, thread_id, run_id, created_at, body)
    SELECT new.id, run.project, run.thread_id, new.run_id, new.created_at, new.body
      FROM run, unnest(:new_message_ids::text[], :new_message_runs::text[], :new_message_times::bigint[],
                       :new_message_bodies::bytea[]) WITH ORDINALITY AS new (id, run_id, created_at, body, place)
     ORDER BY new.place
), rewritten AS (
    -- A message that was read is written back only over the state that was read.
    UPDATE messages SET body = new.body
      FROM run, unnest(:message_ids::text[], :message_bodies::bytea[], :message_marks::xid[]) AS new (id, body, mark)
     WHERE messages.id = new.id AND messages.thread_id = run.thread_id
       AND (new.mark IS NULL OR messages.xmin = new.mark)
    RETURNING messages.id
), wanted AS (
    -- The webhooks are locked until the commit, so that one that is deleted meanwhile leaves no deliveries.
    SELECT webhooks.id, webhooks.events FROM run JOIN webhooks ON webhooks.project = run.project
     WHERE webhooks.enabled AND array_length(:event_ids::text[], 1) > 0
       FOR KEY SHARE OF webhooks
), delivered AS (
    INSERT INTO deliveries (webhook_id, id, project, created_at, event_type, thread_id, run_id, next_at, payload)
    SELECT wanted.id, event.id, run.project, :now, event.type, run.thread_id, run.id, :now, event.payload
      FROM run, wanted, unnest(:event_ids::text[], :event_types::text[], :event_payloads::bytea[])
                       AS event (id, type, payload)
     WHERE wanted.events LIKE '%' || event.type || '%'
)
SELECT (SELECT array_agg(rewritten.id) FROM rewritten) FROM run;

-- name: get
-- A writer locks the run before it changes it, so it cannot be overtaken for ever.
SELECT body, settings, project, version, last_event, owner, behind, ready_at, delays
  FROM runs
 WHERE id = :id AND thread_id = :thread_id AND project = :project
   AND NOT EXISTS (SELECT 1 FROM deletions WHERE deletions.id = :thread_id)
   FOR UPDATE;

-- name: load
SELECT body, settings, project, version, last_event, owner, behind, ready_at, delays
  FROM runs
 WHERE id = :id AND NOT EXISTS (SELECT 1 FROM deletions WHERE deletions.id = runs.thread_id)
   FOR UPDATE;

-- name: queue_head
SELECT body, settings, project, version, last_event, owner, behind, ready_at, delays
  FROM runs WHERE thread_id = :thread_id AND project = :project AND active
   FOR UPDATE;

-- name: queue_successor
SELECT body, settings, project, version, last_event, owner, behind, ready_at, delays
  FROM runs WHERE behind = :id AND status = 'waiting'
   FOR UPDATE;

-- name: queue_tail
SELECT body, settings, project, version, last_event, owner, behind, ready_at, delays
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
-- A project without a limit is not locked: there is nothing to count.
SELECT limits.project, limits.most,
       CASE WHEN limits.most > 0
            THEN pg_advisory_xact_lock(hashtext('runstead.room'), hashtext(limits.project)) END
  FROM (SELECT runs.project, coalesce(projects.max_running, :most) AS most
          FROM runs LEFT JOIN projects ON projects.name = runs.project
         WHERE runs.id = :id) AS limits;

-- name: next_claimable
-- A run that another transaction has locked is passed over: nothing waits here.
SELECT body, settings, project, version, last_event, owner, behind, ready_at, delays
  FROM runs
 WHERE status = 'queued' AND project = :project
   AND ready_at <= :now AND (expires_at IS NULL OR expires_at > :now)
   AND (:most::bigint = 0
        OR (SELECT count(*) FROM runs AS busy
             WHERE busy.project = :project AND busy.status IN ('in_progress', 'cancelling')) < :most)
 ORDER BY seq
 LIMIT 1
   FOR UPDATE SKIP LOCKED;

-- name: claimable
-- A place is how many of its project would be at work then. The run with the lowest place comes first. Of each project no
-- more runs are looked at than may be found. A project's limit is its own, or else the given one; 0 is none.
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
  LEFT JOIN projects ON projects.name = lines.project
 CROSS JOIN LATERAL (
        SELECT coalesce(nullif(coalesce(projects.max_running, :most), 0), 1::bigint << 40) AS most, count(*) AS running
          FROM runs
         WHERE runs.project = lines.project AND status IN ('in_progress', 'cancelling')
       ) AS busy
 CROSS JOIN LATERAL (
        SELECT id, seq, busy.running + row_number() OVER (ORDER BY seq) AS place
          FROM runs
         WHERE status = 'queued' AND runs.project = lines.project
           AND ready_at <= :now AND (expires_at IS NULL OR expires_at > :now)
         ORDER BY seq
         LIMIT least(greatest(busy.most - busy.running, 0), :limit)
       ) AS turn
 ORDER BY turn.place, turn.seq
 LIMIT :limit;

-- name: orphans
-- From one owner to the next, not from run to run: few workers own many runs.
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
