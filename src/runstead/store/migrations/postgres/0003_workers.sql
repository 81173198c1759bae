-- A worker lives while its lease runs, by this server's clock, and while its process holds a lock by the key `presence`.
CREATE TABLE workers (
    name      text COLLATE "C" PRIMARY KEY,
    lease     interval NOT NULL,
    until     timestamptz NOT NULL,
    presence  bigint NOT NULL,
    -- When it last lost that lock, and had it again.
    returned  timestamptz
);
