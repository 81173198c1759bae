-- The index of passages (retrieval/index/postgres). It is derived from files: what is here can be made again.
-- Vectors need the extension pgvector, which the first migration of a database creates.
DO $$
DECLARE
    found text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'vector') THEN
        IF NOT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') THEN
            RAISE EXCEPTION 'the server lacks pgvector, which searches in files need: install the package postgresql-%-pgvector on it, or use the image pgvector/pgvector, and start again',
                current_setting('server_version_num')::int / 10000;
        END IF;
        BEGIN
            CREATE EXTENSION vector SCHEMA public;
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'the database lacks the extension pgvector, and its user may not create it: an administrator has to run CREATE EXTENSION vector in the database %',
                    current_database();
            WHEN unique_violation OR duplicate_object THEN
                NULL;  -- another schema of the database is migrated at the same time
        END;
    END IF;
    SELECT extversion INTO found FROM pg_extension WHERE extname = 'vector';
    IF string_to_array(found, '.')::int[] < ARRAY[0, 8] THEN
        RAISE EXCEPTION 'pgvector % is too old, 0.8 is needed: install it, and run ALTER EXTENSION vector UPDATE', found;
    END IF;
    -- Until the end of the transaction the names of the extension are found, whatever its schema is.
    PERFORM set_config('search_path', current_schema() || ',' || quote_ident(n.nspname), true)
       FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace WHERE e.extname = 'vector';
END
$$;

CREATE TABLE IF NOT EXISTS index_stores (
    number      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project     text COLLATE "C" NOT NULL,
    store_id    text COLLATE "C" NOT NULL,
    UNIQUE (project, store_id)
);

-- States: 0 staged, 1 visible, 2 removed, 3 discarded, 4 gone.
CREATE TABLE IF NOT EXISTS index_entries (
    number      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    store       bigint NOT NULL,
    file_id     text COLLATE "C" NOT NULL,
    version     text COLLATE "C" NOT NULL,
    state       smallint NOT NULL DEFAULT 0,
    chunks      integer NOT NULL DEFAULT 0,
    UNIQUE (store, file_id, version)
);
CREATE UNIQUE INDEX IF NOT EXISTS index_entries_visible ON index_entries (store, file_id) WHERE state = 1;
CREATE INDEX IF NOT EXISTS index_entries_removed ON index_entries (number) WHERE state IN (2, 3);

CREATE TABLE IF NOT EXISTS index_attributes (
    entry   bigint NOT NULL,
    key     text COLLATE "C" NOT NULL,
    text    text COLLATE "C",
    number  double precision,
    flag    smallint,
    PRIMARY KEY (entry, key)
);

-- The id of a chunk is its entry's number, shifted by 20 bits, and its own number. Each of its terms has the number of
-- the store before it. Texts and terms are stored apart, so that a list of ids reads few pages.
CREATE TABLE IF NOT EXISTS index_chunks (
    id          bigint PRIMARY KEY,
    start_at    integer NOT NULL,
    end_at      integer NOT NULL,
    text        text NOT NULL,
    heading     text NOT NULL,
    place       text,
    terms       tsvector NOT NULL
) WITH (toast_tuple_target = 128);
CREATE INDEX IF NOT EXISTS index_chunks_terms ON index_chunks USING gin (terms) WITH (fastupdate = off);

-- Vectors have the length 1. The index of a dimension is used for stores that are too large to be scanned.
CREATE TABLE IF NOT EXISTS index_vectors (
    id          bigint PRIMARY KEY,
    entry       bigint NOT NULL,
    dimension   smallint NOT NULL,
    embedding   halfvec NOT NULL
);
ALTER TABLE index_vectors ALTER COLUMN embedding SET STORAGE PLAIN;
CREATE INDEX IF NOT EXISTS index_vectors_entry ON index_vectors (entry);
CREATE INDEX IF NOT EXISTS index_vectors_384 ON index_vectors USING hnsw ((embedding::halfvec(384)) halfvec_ip_ops) WITH (m = 16, ef_construction = 100) WHERE dimension = 384;
CREATE INDEX IF NOT EXISTS index_vectors_512 ON index_vectors USING hnsw ((embedding::halfvec(512)) halfvec_ip_ops) WITH (m = 16, ef_construction = 100) WHERE dimension = 512;
CREATE INDEX IF NOT EXISTS index_vectors_768 ON index_vectors USING hnsw ((embedding::halfvec(768)) halfvec_ip_ops) WITH (m = 16, ef_construction = 100) WHERE dimension = 768;
CREATE INDEX IF NOT EXISTS index_vectors_1024 ON index_vectors USING hnsw ((embedding::halfvec(1024)) halfvec_ip_ops) WITH (m = 16, ef_construction = 100) WHERE dimension = 1024;
CREATE INDEX IF NOT EXISTS index_vectors_1536 ON index_vectors USING hnsw ((embedding::halfvec(1536)) halfvec_ip_ops) WITH (m = 16, ef_construction = 100) WHERE dimension = 1536;
CREATE INDEX IF NOT EXISTS index_vectors_3072 ON index_vectors USING hnsw ((embedding::halfvec(3072)) halfvec_ip_ops) WITH (m = 16, ef_construction = 100) WHERE dimension = 3072;
