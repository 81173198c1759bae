-- Runs that wait behind another one of their thread have the status `waiting` here, and are queued to everyone else.
ALTER TABLE runs ADD COLUMN behind text COLLATE "C";
ALTER TABLE runs ADD COLUMN ready_at bigint NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN delays integer NOT NULL DEFAULT 0;
CREATE INDEX runs_behind ON runs (behind, seq) WHERE status = 'waiting';
CREATE INDEX runs_waiting_deadline ON runs (expires_at, seq) WHERE status = 'waiting';
CREATE INDEX runs_line ON runs (thread_id, seq)
 WHERE status IN ('queued', 'in_progress', 'requires_action', 'cancelling', 'waiting');
CREATE INDEX runs_ready ON runs (status, project, created_at, seq, ready_at) WHERE status IN ('queued', 'waiting');
CREATE INDEX runs_busy ON runs (project) WHERE status IN ('in_progress', 'cancelling');

-- Messages that wait stand at the end: until they join the thread, their `created_at` is above all times.
ALTER TABLE messages ADD COLUMN behind text COLLATE "C";
ALTER TABLE messages ADD COLUMN brought_by text COLLATE "C";
CREATE INDEX messages_behind ON messages (behind, seq) WHERE behind IS NOT NULL;
