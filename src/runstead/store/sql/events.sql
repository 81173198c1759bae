-- name: append
INSERT INTO events (run_id, project, first, last, body) VALUES (:run_id, :project, :first, :last, :body);

-- name: sizes
SELECT last, length(body) FROM events WHERE run_id = :run_id AND last > :seq ORDER BY last LIMIT :limit;

-- name: after
SELECT first, body FROM events WHERE run_id = :run_id AND last > :seq AND last <= :upto ORDER BY last;

-- name: lengths
-- Of the messages and steps with these ids, a JSON array.
SELECT id, length(body) FROM messages WHERE id IN (SELECT value FROM json_each(:ids))
 UNION ALL
SELECT id, length(body) FROM steps WHERE id IN (SELECT value FROM json_each(:ids));

-- name: bodies
SELECT id, body FROM messages WHERE id IN (SELECT value FROM json_each(:ids))
 UNION ALL
SELECT id, body FROM steps WHERE id IN (SELECT value FROM json_each(:ids));
