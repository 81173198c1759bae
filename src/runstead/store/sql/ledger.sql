-- name: runs
-- Other tables are queried run by run: PostgreSQL would read a whole table for an EXISTS.
SELECT kept.id, kept.body, kept.settings, kept.project, kept.last_event, kept.status, kept.expires_at, kept.owner, kept.behind,
       (SELECT ahead.status FROM runs AS ahead WHERE ahead.id = kept.behind AND ahead.thread_id = kept.thread_id),
       (SELECT 1 FROM threads WHERE threads.id = kept.thread_id AND threads.project = kept.project LIMIT 1),
       (SELECT 1 FROM workers WHERE workers.name = kept.owner LIMIT 1),
       (SELECT rival.id FROM runs AS rival
         WHERE rival.thread_id = kept.thread_id AND rival.active AND rival.id <> kept.id LIMIT 1),
       (SELECT other.id FROM transcript AS other
         WHERE other.thread_id = kept.thread_id AND coalesce(other.run_id, '') <> kept.id
           AND other.position > (SELECT min(seq) FROM messages WHERE run_id = kept.id)
           AND other.position < (SELECT max(seq) FROM messages WHERE run_id = kept.id)
         LIMIT 1),
       (SELECT 1 FROM deletions WHERE deletions.id = kept.thread_id)
  FROM runs AS kept
 WHERE kept.id > :after
 ORDER BY kept.id
 LIMIT :limit;

-- name: events
SELECT run_id, first, project, last, body FROM events WHERE run_id > :after AND run_id <= :upto ORDER BY run_id, last;

-- name: steps
SELECT run_id, id, project, body, journal
  FROM steps WHERE run_id > :after AND run_id <= :upto ORDER BY run_id, seq;

-- name: messages
SELECT run_id, id, project, body FROM messages WHERE run_id > :after AND run_id <= :upto ORDER BY run_id, seq;

-- name: waiting
-- Those that join their thread when a run has ended.
SELECT behind, id FROM messages WHERE behind > :after AND behind <= :upto ORDER BY behind, seq;
