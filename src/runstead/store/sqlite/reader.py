"""Reads: each in a transaction of its own, so it sees one committed state; on the event loop, at once.

No other program can make a read wait: SQLite's write-ahead log allows nobody to lock readers out of an open database.
"""

import sqlite3
from typing import TypeVar

from runstead.store.port import Tx
from runstead.store.sqlite.work import Work, perform
from runstead.wire.error import RunsteadError

__all__ = ["Reader"]

T = TypeVar("T")


class Reader:
    """Performs transactions that only read, on a connection that cannot write."""

    def __init__(self, connection: sqlite3.Connection, tx: Tx, path: str) -> None:
        connection.execute("PRAGMA query_only = ON")
        self._connection = connection
        self._tx = tx
        self._path = path

    def read(self, work: Work[T]) -> T:
        """What the work returns."""
        try:
            self._connection.execute("BEGIN")
            try:
                return perform(work, self._tx)
            finally:
                self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise RunsteadError(f"cannot read {self._path}: {error}") from error

    def stop(self) -> None:
        """Close the connection."""
        self._connection.close()
