-- name: get
-- A writer locks the webhook before it changes it.
SELECT body, generation, old_until FROM webhooks WHERE id = :id AND project = :project FOR UPDATE;

-- name: enqueue
-- The webhooks are locked until the commit, so that one that is deleted meanwhile leaves no deliveries.
INSERT INTO deliveries (webhook_id, id, project, created_at, event_type, thread_id, run_id, next_at, payload)
SELECT id, :id, project, :created_at, :event_type, :thread_id, :run_id, :created_at, :payload
  FROM webhooks
 WHERE project = :project AND enabled AND events LIKE '%' || :event_type || '%'
   FOR KEY SHARE;

-- name: claim_deliveries
-- Another process that claims at the same time gets other deliveries.
WITH due AS MATERIALIZED (
    SELECT webhook_id, id FROM deliveries
     WHERE webhook_id = :webhook_id AND status = 'pending' AND next_at <= :now
     ORDER BY next_at, seq
     LIMIT :limit
       FOR UPDATE SKIP LOCKED
)
UPDATE deliveries SET attempts = attempts + 1, tries = tries + 1, next_at = :until
  FROM due
 WHERE deliveries.webhook_id = due.webhook_id AND deliveries.id = due.id
RETURNING deliveries.id, attempts, tries, event_type, created_at, payload,
          (SELECT coalesce(settings, body) FROM runs WHERE runs.id = deliveries.run_id);
