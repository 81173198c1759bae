-- The messages of all threads, each with its position: one that waits behind a run stands after all that have joined.
CREATE OR REPLACE VIEW transcript AS
SELECT id, project, thread_id, run_id, behind, body,
       CASE WHEN behind IS NULL THEN seq ELSE seq + 4611686018427387904 END AS position
  FROM messages;
