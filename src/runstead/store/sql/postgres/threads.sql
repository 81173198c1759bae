-- name: get
-- A writer locks the thread: what it decides by it stays true until it has written.
SELECT body FROM threads WHERE id = :id AND project = :project FOR UPDATE;
