-- name: enter
INSERT OR REPLACE INTO workers (place, name) VALUES (1, :name);

-- name: renew
SELECT 1 FROM workers WHERE name = :name;

-- name: leave
DELETE FROM workers WHERE name = :name;

-- name: give_up
-- Whoever enters is the only one.
DELETE FROM workers WHERE name IS NULL RETURNING name;
