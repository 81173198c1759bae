-- Whether a run or a message has come to wait behind a run. The database says so itself, because processes of the version
-- before write too. It is a column of the run that is waited for: a statement that ends this run, and had to wait for its
-- lock, reads the column again.
ALTER TABLE runs ADD COLUMN IF NOT EXISTS followed boolean NOT NULL DEFAULT false;

CREATE OR REPLACE FUNCTION follow_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE runs SET followed = true WHERE id = NEW.behind AND NOT followed;
    RETURN NULL;
END
$$;

DROP TRIGGER IF EXISTS runs_follow ON runs;
CREATE TRIGGER runs_follow AFTER INSERT ON runs
   FOR EACH ROW WHEN (NEW.behind IS NOT NULL) EXECUTE FUNCTION follow_run();
