-- name: get
-- `xmin` marks this state of the row. The row is not locked: every run of an assistant reads it.
SELECT body, xmin FROM assistants WHERE id = :id AND project = :project;

-- name: replace
-- No row back: another writer has replaced it since it was read, or it is deleted.
UPDATE assistants SET body = :body
 WHERE id = :id AND project = :project AND (:mark::xid IS NULL OR xmin = :mark)
RETURNING xmin;
