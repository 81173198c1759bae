-- name: register
INSERT INTO workers (name, lease, until, presence)
VALUES (:name, :lease * interval '1 millisecond', clock_timestamp() + :lease * interval '1 millisecond',
        hashtextextended(current_schema() || '.' || :name, 0));

-- name: heartbeat
UPDATE workers SET lease = :lease * interval '1 millisecond',
                   until = clock_timestamp() + :lease * interval '1 millisecond'
 WHERE name = :name
RETURNING name;

-- name: expired
-- When the server has just started, no lease was renewed for a while and no lock is back yet. When the observer has no
-- lock itself, or has just got it back, the server may have lost all its sessions, or a standby stands in for it (which
-- has been there all the time). Then one lease passes first. Whoever is given up wrongly all the same costs a model call
-- that is made again, no more.
WITH held (presence) AS MATERIALIZED (
    SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks
     WHERE locktype = 'advisory' AND objsubid = 1 AND granted
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
SELECT name FROM workers
 WHERE (until < clock_timestamp() OR presence NOT IN (SELECT presence FROM held))
   AND pg_postmaster_start_time() + lease < clock_timestamp()
   AND NOT EXISTS (SELECT 1 FROM workers AS me
                    WHERE me.name = :observer
                      AND (me.returned + me.lease > clock_timestamp()
                           OR me.presence NOT IN (SELECT presence FROM held)))
 ORDER BY name
   FOR UPDATE SKIP LOCKED;
