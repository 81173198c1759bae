"""The store on SQLite: one file, one process, acknowledged is on disk."""

from runstead.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
