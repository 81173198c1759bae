-- What the engine knows of a step beyond what the world is shown: the calls as the model is told them, and what a
-- model's server wants to see again. NULL when the step alone says it all, as in all rows before.
ALTER TABLE steps ADD COLUMN IF NOT EXISTS journal bytea;
