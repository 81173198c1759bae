-- name: lock_key
-- Before the row is looked for: there may be none yet, and what was committed meanwhile must be seen.
SELECT pg_advisory_xact_lock(hashtext('runstead.answers'), hashtext(:project || ' ' || :key));

-- name: prune
-- Records that another process is pruning are passed over.
DELETE FROM answers
 WHERE (project, key) IN (SELECT project, key FROM answers WHERE expires_at <= :now
                           ORDER BY expires_at LIMIT :limit FOR UPDATE SKIP LOCKED)
RETURNING key;
