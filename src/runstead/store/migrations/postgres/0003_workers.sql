CREATE TABLE workers (
    name   text COLLATE "C" PRIMARY KEY,
    until  timestamptz NOT NULL
);
