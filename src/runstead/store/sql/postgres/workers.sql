-- name: enter
INSERT INTO workers (name, until) VALUES (:name, clock_timestamp() + :lease * interval '1 millisecond');

-- name: renew
UPDATE workers SET until = clock_timestamp() + :lease * interval '1 millisecond' WHERE name = :name RETURNING name;

-- name: give_up
DELETE FROM workers WHERE until < clock_timestamp() RETURNING name;
