-- Runs that wait behind another one of their thread have the status `waiting` here, and are queued to everyone else.
ALTER TABLE runs ADD COLUMN behind text COLLATE "C";
ALTER TABLE runs ADD COLUMN ready_at bigint NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN delays integer NOT NULL DEFAULT 0;
