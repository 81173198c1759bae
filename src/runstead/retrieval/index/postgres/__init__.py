"""The index in a PostgreSQL database, with its full-text index for terms and pgvector for vectors."""

from runstead.retrieval.index.postgres.index import PostgresIndex

__all__ = ["PostgresIndex"]
