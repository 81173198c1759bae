-- concurrently
CREATE INDEX CONCURRENTLY IF NOT EXISTS assistants_order ON assistants (project, seq);
CREATE INDEX CONCURRENTLY IF NOT EXISTS threads_order ON threads (project, seq);
CREATE INDEX CONCURRENTLY IF NOT EXISTS messages_order
    ON messages (thread_id, (CASE WHEN behind IS NULL THEN seq ELSE seq + 4611686018427387904 END));
CREATE INDEX CONCURRENTLY IF NOT EXISTS messages_order_of_run ON messages (run_id, seq) WHERE run_id IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS runs_order ON runs (thread_id, seq);
CREATE INDEX CONCURRENTLY IF NOT EXISTS runs_queue ON runs (status, project, seq, ready_at)
 WHERE status IN ('queued', 'waiting');
CREATE INDEX CONCURRENTLY IF NOT EXISTS steps_order ON steps (run_id, seq);
CREATE INDEX CONCURRENTLY IF NOT EXISTS webhooks_order ON webhooks (project, seq);
CREATE INDEX CONCURRENTLY IF NOT EXISTS deliveries_order ON deliveries (webhook_id, seq);
CREATE INDEX CONCURRENTLY IF NOT EXISTS projects_order ON projects (seq);
DROP INDEX CONCURRENTLY IF EXISTS assistants_list;
DROP INDEX CONCURRENTLY IF EXISTS threads_list;
DROP INDEX CONCURRENTLY IF EXISTS messages_list;
DROP INDEX CONCURRENTLY IF EXISTS messages_of_run;
DROP INDEX CONCURRENTLY IF EXISTS runs_list;
DROP INDEX CONCURRENTLY IF EXISTS runs_ready;
DROP INDEX CONCURRENTLY IF EXISTS runs_queued;
DROP INDEX CONCURRENTLY IF EXISTS steps_list;
DROP INDEX CONCURRENTLY IF EXISTS webhooks_list;
DROP INDEX CONCURRENTLY IF EXISTS deliveries_list;
DROP INDEX CONCURRENTLY IF EXISTS projects_list;
