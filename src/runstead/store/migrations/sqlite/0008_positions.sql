-- Lists are ordered by `seq`, the number that a row got when it was inserted, and not by a time. Rows that are there
-- exchange their numbers within their list, so that each list stays in its order of (created_at, seq): the row at a place
-- of `listed` gets the number at the same place of `given`. It gets it by way of a negative one, because no two rows may
-- have the same.
CREATE TEMP TABLE listed (place INTEGER PRIMARY KEY, seq INTEGER NOT NULL);
CREATE TEMP TABLE given (place INTEGER PRIMARY KEY, seq INTEGER NOT NULL);

INSERT INTO listed (seq) SELECT seq FROM assistants ORDER BY project, created_at, seq;
INSERT INTO given (seq) SELECT seq FROM assistants ORDER BY project, seq;
UPDATE assistants SET number = -given.seq FROM listed JOIN given USING (place) WHERE number = listed.seq AND given.seq <> listed.seq;
UPDATE assistants SET number = -number WHERE number < 0;
DELETE FROM listed;
DELETE FROM given;

INSERT INTO listed (seq) SELECT seq FROM threads ORDER BY project, created_at, seq;
INSERT INTO given (seq) SELECT seq FROM threads ORDER BY project, seq;
UPDATE threads SET number = -given.seq FROM listed JOIN given USING (place) WHERE number = listed.seq AND given.seq <> listed.seq;
UPDATE threads SET number = -number WHERE number < 0;
DELETE FROM listed;
DELETE FROM given;

INSERT INTO listed (seq) SELECT seq FROM messages ORDER BY thread_id, created_at, seq;
INSERT INTO given (seq) SELECT seq FROM messages ORDER BY thread_id, seq;
UPDATE messages SET number = -given.seq FROM listed JOIN given USING (place) WHERE number = listed.seq AND given.seq <> listed.seq;
UPDATE messages SET number = -number WHERE number < 0;
DELETE FROM listed;
DELETE FROM given;

INSERT INTO listed (seq) SELECT seq FROM runs ORDER BY thread_id, created_at, seq;
INSERT INTO given (seq) SELECT seq FROM runs ORDER BY thread_id, seq;
UPDATE runs SET number = -given.seq FROM listed JOIN given USING (place) WHERE number = listed.seq AND given.seq <> listed.seq;
UPDATE runs SET number = -number WHERE number < 0;
DELETE FROM listed;
DELETE FROM given;

INSERT INTO listed (seq) SELECT seq FROM steps ORDER BY run_id, created_at, seq;
INSERT INTO given (seq) SELECT seq FROM steps ORDER BY run_id, seq;
UPDATE steps SET number = -given.seq FROM listed JOIN given USING (place) WHERE number = listed.seq AND given.seq <> listed.seq;
UPDATE steps SET number = -number WHERE number < 0;
DELETE FROM listed;
DELETE FROM given;

INSERT INTO listed (seq) SELECT seq FROM webhooks ORDER BY project, created_at, seq;
INSERT INTO given (seq) SELECT seq FROM webhooks ORDER BY project, seq;
UPDATE webhooks SET number = -given.seq FROM listed JOIN given USING (place) WHERE number = listed.seq AND given.seq <> listed.seq;
UPDATE webhooks SET number = -number WHERE number < 0;
DELETE FROM listed;
DELETE FROM given;

INSERT INTO listed (seq) SELECT seq FROM deliveries ORDER BY webhook_id, created_at, seq;
INSERT INTO given (seq) SELECT seq FROM deliveries ORDER BY webhook_id, seq;
UPDATE deliveries SET number = -given.seq FROM listed JOIN given USING (place) WHERE number = listed.seq AND given.seq <> listed.seq;
UPDATE deliveries SET number = -number WHERE number < 0;
DELETE FROM listed;
DELETE FROM given;

INSERT INTO listed (seq) SELECT seq FROM projects ORDER BY created_at, seq;
INSERT INTO given (seq) SELECT seq FROM projects ORDER BY seq;
UPDATE projects SET number = -given.seq FROM listed JOIN given USING (place) WHERE number = listed.seq AND given.seq <> listed.seq;
UPDATE projects SET number = -number WHERE number < 0;
DELETE FROM listed;
DELETE FROM given;

DROP TABLE listed;
DROP TABLE given;

-- The messages of all threads, each with its position: one that waits behind a run stands after all that have joined.
CREATE VIEW transcript AS
SELECT id, project, thread_id, run_id, behind, body,
       CASE WHEN behind IS NULL THEN seq ELSE seq + 4611686018427387904 END AS position
  FROM messages;

DROP INDEX assistants_list;
DROP INDEX threads_list;
DROP INDEX messages_list;
DROP INDEX messages_of_run;
DROP INDEX runs_list;
DROP INDEX runs_ready;
DROP INDEX steps_list;
DROP INDEX webhooks_list;
DROP INDEX deliveries_list;
DROP INDEX projects_list;
CREATE INDEX assistants_order ON assistants (project, seq);
CREATE INDEX threads_order ON threads (project, seq);
CREATE INDEX messages_order
    ON messages (thread_id, (CASE WHEN behind IS NULL THEN seq ELSE seq + 4611686018427387904 END));
CREATE INDEX messages_order_of_run ON messages (run_id, seq) WHERE run_id IS NOT NULL;
CREATE INDEX runs_order ON runs (thread_id, seq);
CREATE INDEX runs_queue ON runs (status, project, seq, ready_at) WHERE status IN ('queued', 'waiting');
CREATE INDEX steps_order ON steps (run_id, seq);
CREATE INDEX webhooks_order ON webhooks (project, seq);
CREATE INDEX deliveries_order ON deliveries (webhook_id, seq);
CREATE INDEX projects_order ON projects (seq);
