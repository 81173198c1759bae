-- The object that a recorded reply shows, below its thread: `thread/object`, or one of them alone.
ALTER TABLE answers ADD COLUMN IF NOT EXISTS subject text COLLATE "C";
