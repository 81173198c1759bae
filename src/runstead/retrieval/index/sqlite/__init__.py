"""The index in a file of its own, with SQLite's full-text index for terms and vectors beside them."""

from runstead.retrieval.index.sqlite.index import SqliteIndex

__all__ = ["SqliteIndex"]
