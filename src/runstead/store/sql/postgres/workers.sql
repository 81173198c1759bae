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
-- The observer is alive, whatever its lease says: it may have stalled, and is about to send a heartbeat.
-- For one lease no worker is expired in these cases: the server has just started, so no lease was renewed for a while and
-- no lock is back yet; or the observer has no lock itself, or has just got it back, so the server may have lost all its
-- sessions, or be a standby that was just promoted. A worker that is deregistered wrongly all the same costs one repeated
-- model call for each of its runs.
WITH locked (presence) AS MATERIALIZED (
    SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks
     WHERE locktype = 'advisory' AND objsubid = 1 AND granted
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
SELECT name FROM workers
 WHERE name <> :observer
   AND (until < clock_timestamp() OR presence NOT IN (SELECT presence FROM locked))
   AND pg_postmaster_start_time() + lease < clock_timestamp()
   AND NOT EXISTS (SELECT 1 FROM workers AS me
                    WHERE me.name = :observer
                      AND (me.returned + me.lease > clock_timestamp()
                           OR me.presence NOT IN (SELECT presence FROM locked)))
 ORDER BY name
   FOR UPDATE SKIP LOCKED;
