-- name: lock_key
-- Where several processes write, this lets one transaction a key go on at a time.
SELECT 1;

-- name: get
SELECT digest, doubtful, seq, expires_at, subject, body
  FROM answers
 WHERE project = :project AND key = :key AND expires_at > :now;

-- name: put
INSERT INTO answers (project, key, digest, doubtful, seq, expires_at, subject, body)
VALUES (:project, :key, :digest, :ambiguous, :seq, :expires_at, :subject, :body)
ON CONFLICT (project, key) DO UPDATE
   SET digest = excluded.digest, doubtful = excluded.doubtful, seq = excluded.seq,
       expires_at = excluded.expires_at, subject = excluded.subject, body = excluded.body;

-- name: erase
UPDATE answers SET body = :nothing, subject = NULL WHERE subject = :subject AND project = :project;

-- name: expired_sizes
SELECT length(body) FROM answers WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit;

-- name: prune
DELETE FROM answers
 WHERE (project, key) IN (SELECT project, key FROM answers WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit)
RETURNING key;
