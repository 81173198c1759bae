-- concurrently
-- What 0002 and 0006 added is found by these.
CREATE INDEX CONCURRENTLY IF NOT EXISTS runs_behind ON runs (behind, seq) WHERE status = 'waiting';
CREATE INDEX CONCURRENTLY IF NOT EXISTS runs_waiting_deadline ON runs (expires_at, seq)
 WHERE status = 'waiting';
CREATE INDEX CONCURRENTLY IF NOT EXISTS runs_line ON runs (thread_id, seq)
 WHERE status IN ('queued', 'in_progress', 'requires_action', 'cancelling', 'waiting');
CREATE INDEX CONCURRENTLY IF NOT EXISTS runs_ready ON runs (status, project, created_at, seq, ready_at)
 WHERE status IN ('queued', 'waiting');
CREATE INDEX CONCURRENTLY IF NOT EXISTS runs_busy ON runs (project) WHERE status IN ('in_progress', 'cancelling');
CREATE INDEX CONCURRENTLY IF NOT EXISTS messages_behind ON messages (behind, seq) WHERE behind IS NOT NULL;
