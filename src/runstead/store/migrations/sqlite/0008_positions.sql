-- Lists are ordered by `seq`, the number that a row got when it was inserted, and not by a time. Rows that are there
-- exchange their numbers within their list, so that each list stays in its order of (created_at, seq). A row takes its new
-- number by way of a negative one, because no two rows may have the same.

UPDATE assistants SET number = -given.seq
  FROM (SELECT seq, row_number() OVER (PARTITION BY project ORDER BY created_at, seq) AS place FROM assistants) AS listed,
       (SELECT project, seq, row_number() OVER (PARTITION BY project ORDER BY seq) AS place FROM assistants) AS given
 WHERE assistants.seq = listed.seq AND given.place = listed.place AND given.project = assistants.project AND given.seq <> listed.seq;
UPDATE assistants SET number = -number WHERE number < 0;

UPDATE threads SET number = -given.seq
  FROM (SELECT seq, row_number() OVER (PARTITION BY project ORDER BY created_at, seq) AS place FROM threads) AS listed,
       (SELECT project, seq, row_number() OVER (PARTITION BY project ORDER BY seq) AS place FROM threads) AS given
 WHERE threads.seq = listed.seq AND given.place = listed.place AND given.project = threads.project AND given.seq <> listed.seq;
UPDATE threads SET number = -number WHERE number < 0;

UPDATE messages SET number = -given.seq
  FROM (SELECT seq, row_number() OVER (PARTITION BY thread_id ORDER BY created_at, seq) AS place FROM messages) AS listed,
       (SELECT thread_id, seq, row_number() OVER (PARTITION BY thread_id ORDER BY seq) AS place FROM messages) AS given
 WHERE messages.seq = listed.seq AND given.place = listed.place AND given.thread_id = messages.thread_id AND given.seq <> listed.seq;
UPDATE messages SET number = -number WHERE number < 0;

UPDATE runs SET number = -given.seq
  FROM (SELECT seq, row_number() OVER (PARTITION BY thread_id ORDER BY created_at, seq) AS place FROM runs) AS listed,
       (SELECT thread_id, seq, row_number() OVER (PARTITION BY thread_id ORDER BY seq) AS place FROM runs) AS given
 WHERE runs.seq = listed.seq AND given.place = listed.place AND given.thread_id = runs.thread_id AND given.seq <> listed.seq;
UPDATE runs SET number = -number WHERE number < 0;

UPDATE steps SET number = -given.seq
  FROM (SELECT seq, row_number() OVER (PARTITION BY run_id ORDER BY created_at, seq) AS place FROM steps) AS listed,
       (SELECT run_id, seq, row_number() OVER (PARTITION BY run_id ORDER BY seq) AS place FROM steps) AS given
 WHERE steps.seq = listed.seq AND given.place = listed.place AND given.run_id = steps.run_id AND given.seq <> listed.seq;
UPDATE steps SET number = -number WHERE number < 0;

UPDATE webhooks SET number = -given.seq
  FROM (SELECT seq, row_number() OVER (PARTITION BY project ORDER BY created_at, seq) AS place FROM webhooks) AS listed,
       (SELECT project, seq, row_number() OVER (PARTITION BY project ORDER BY seq) AS place FROM webhooks) AS given
 WHERE webhooks.seq = listed.seq AND given.place = listed.place AND given.project = webhooks.project AND given.seq <> listed.seq;
UPDATE webhooks SET number = -number WHERE number < 0;

UPDATE deliveries SET number = -given.seq
  FROM (SELECT seq, row_number() OVER (PARTITION BY webhook_id ORDER BY created_at, seq) AS place FROM deliveries) AS listed,
       (SELECT webhook_id, seq, row_number() OVER (PARTITION BY webhook_id ORDER BY seq) AS place FROM deliveries) AS given
 WHERE deliveries.seq = listed.seq AND given.place = listed.place AND given.webhook_id = deliveries.webhook_id AND given.seq <> listed.seq;
UPDATE deliveries SET number = -number WHERE number < 0;

UPDATE projects SET number = -given.seq
  FROM (SELECT seq, row_number() OVER (ORDER BY created_at, seq) AS place FROM projects) AS listed,
       (SELECT seq, row_number() OVER (ORDER BY seq) AS place FROM projects) AS given
 WHERE projects.seq = listed.seq AND given.place = listed.place AND given.seq <> listed.seq;
UPDATE projects SET number = -number WHERE number < 0;

-- The messages of all threads, each with its position: one that waits behind a run stands after all that have joined.
CREATE VIEW transcript AS
SELECT id, project, thread_id, behind, body,
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
