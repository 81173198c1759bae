-- The one process that owns the file has one worker: whoever was here before it is gone.
CREATE TABLE workers (
    place  INTEGER PRIMARY KEY CHECK (place = 1),
    name   TEXT NOT NULL UNIQUE
) STRICT;
