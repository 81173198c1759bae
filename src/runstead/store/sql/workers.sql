-- name: register
INSERT OR REPLACE INTO workers (place, name) VALUES (1, :name);

-- name: heartbeat
SELECT 1 FROM workers WHERE name = :name;

-- name: deregister
DELETE FROM workers WHERE name = :name;

-- name: expired
-- The worker that registers is the only one.
SELECT name FROM workers WHERE name IS NULL;
