-- name: get
-- Whoever is about to change a webhook holds it.
SELECT body, generation, old_until FROM webhooks WHERE id = :id AND project = :project FOR UPDATE;
