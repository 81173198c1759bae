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

-- name: position
SELECT seq FROM webhooks WHERE id = :id AND project = :project;

-- name: page_up
SELECT body FROM webhooks
 WHERE project = :project
   AND seq > :low AND seq < :high
 ORDER BY seq
 LIMIT :limit;

-- name: page_down
SELECT body FROM webhooks
 WHERE project = :project
   AND seq > :low AND seq < :high
 ORDER BY seq DESC
 LIMIT :limit;

-- name: enqueue
-- The outbox: a row for each webhook that wants the event. Most projects have no webhooks, so nothing is written.
INSERT INTO deliveries (webhook_id, id, project, created_at, event_type, thread_id, run_id, next_at, payload)
SELECT id, :id, project, :created_at, :event_type, :thread_id, :run_id, :created_at, :payload
  FROM webhooks
 WHERE project = :project AND enabled AND events LIKE '%' || :event_type || '%';

-- name: position_deliveries
SELECT seq FROM deliveries WHERE id = :id AND webhook_id = :webhook_id AND project = :project;

-- name: page_up_deliveries
SELECT id, webhook_id, created_at, event_type, thread_id, run_id, status, attempts, next_at, ended_at, status_code, error
  FROM deliveries
 WHERE webhook_id = :webhook_id AND project = :project
   AND seq > :low AND seq < :high
 ORDER BY seq
 LIMIT :limit;

-- name: page_down_deliveries
SELECT id, webhook_id, created_at, event_type, thread_id, run_id, status, attempts, next_at, ended_at, status_code, error
  FROM deliveries
 WHERE webhook_id = :webhook_id AND project = :project
   AND seq > :low AND seq < :high
 ORDER BY seq DESC
 LIMIT :limit;

-- name: replay
UPDATE deliveries SET status = 'pending', tries = 0, next_at = :now, ended_at = NULL
 WHERE id = :id AND webhook_id = :webhook_id AND project = :project
RETURNING id, webhook_id, created_at, event_type, thread_id, run_id, status, attempts, next_at, ended_at, status_code,
          error;

-- name: due_deliveries
-- From one webhook that has something pending to the next, however much each has.
WITH RECURSIVE pending (webhook_id) AS (
    SELECT min(webhook_id) FROM deliveries WHERE status = 'pending'
    UNION ALL
    SELECT (SELECT min(next.webhook_id) FROM deliveries AS next
             WHERE next.status = 'pending' AND next.webhook_id > pending.webhook_id)
      FROM pending WHERE pending.webhook_id IS NOT NULL
)
SELECT webhook_id FROM pending
 WHERE EXISTS (SELECT 1 FROM deliveries AS due
                WHERE due.webhook_id = pending.webhook_id AND due.status = 'pending' AND due.next_at <= :now)
   AND EXISTS (SELECT 1 FROM webhooks WHERE webhooks.id = pending.webhook_id AND webhooks.enabled);

-- name: claim_deliveries
-- With the settings of the run that the event is about: the payload has its state. The `CAST` lets SQLite search an
-- index: a returned column has no type by itself.
UPDATE deliveries SET attempts = attempts + 1, tries = tries + 1, next_at = :until
 WHERE webhook_id = :webhook_id
   AND id IN (SELECT due.id FROM deliveries AS due
               WHERE due.webhook_id = :webhook_id AND due.status = 'pending' AND due.next_at <= :now
               ORDER BY due.next_at, due.seq
               LIMIT :limit)
RETURNING id, attempts, tries, event_type, created_at, payload,
          (SELECT coalesce(settings, body) FROM runs WHERE runs.id = CAST(deliveries.run_id AS TEXT));

-- name: record_attempt
-- No row back: another process has claimed the delivery since.
UPDATE deliveries
   SET status = :status, next_at = :next_at, ended_at = :ended_at, status_code = :status_code, error = :error
 WHERE webhook_id = :webhook_id AND id = :id AND attempts = :attempts AND status = 'pending'
RETURNING seq;

-- name: ended_sizes
SELECT length(payload) FROM deliveries WHERE ended_at < :before ORDER BY ended_at LIMIT :limit;

-- name: prune_deliveries
DELETE FROM deliveries
 WHERE (webhook_id, id) IN (SELECT old.webhook_id, old.id FROM deliveries AS old
                             WHERE old.ended_at < :before ORDER BY old.ended_at LIMIT :limit)
RETURNING seq;
