-- name: append
INSERT INTO events (run_id, project, first, last, body) VALUES (:run_id, :project, :first, :last, :body);

-- name: after
SELECT first, body FROM events WHERE run_id = :run_id AND last > :seq ORDER BY last LIMIT :limit;
