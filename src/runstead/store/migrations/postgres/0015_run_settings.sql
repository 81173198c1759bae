-- oldest: 18
-- The part of a run that its creation fixes. `body` is then the part that changes. NULL: `body` is the whole run.
-- Older code cannot read a run in two parts, or an event without the settings of its run.
ALTER TABLE runs ADD COLUMN IF NOT EXISTS settings bytea;
