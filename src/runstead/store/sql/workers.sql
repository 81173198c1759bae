-- name: enter
INSERT OR REPLACE INTO workers (place, name) VALUES (1, :name);

-- name: renew
SELECT 1 FROM workers WHERE name = :name;

-- name: leave
DELETE FROM workers WHERE name = :name;

-- name: absent
-- Whoever enters is the only one.
SELECT name FROM workers WHERE name IS NULL;
