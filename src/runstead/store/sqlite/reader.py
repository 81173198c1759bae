"""Reads: each in a transaction of its own, so it sees one committed state; on the event loop, at once.

No other program can make a read wait: with a write-ahead log, SQLite lets no writer lock readers out.
"""

import sqlite3
from contextlib import suppress
from typing import TypeVar

from runstead.store.port import Tx
from runstead.store.sqlite.connection import SqliteSession, Work, failed, perform, wait_no_more
from runstead.store.tables.table import NotSingle

__all__ = ["Reader"]

T = TypeVar("T")


class Reader:
    """Performs transactions that only read, on a connection that cannot write."""

    def __init__(self, connection: sqlite3.Connection, session: SqliteSession, tx: Tx, path: str) -> None:
        connection.execute("PRAGMA query_only = ON")
        wait_no_more(connection)
        self._connection = connection
        self._session = session
        self._tx = tx
        self._path = path

    def read(self, work: Work[T], *, single: bool) -> T:
        """The result of the work. `single` work that turns out to need more statements runs again in a transaction."""
        try:
            if single:
                with suppress(NotSingle), self._session.alone():
                    return perform(work, self._tx)
            self._connection.execute("BEGIN")
            try:
                return perform(work, self._tx)
            finally:
                if self._connection.in_transaction:  # some errors have ended it already
                    self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise failed("read", self._path, error) from error

    def check(self) -> None:
        """Read one row. Raises as `read` does."""
        try:
            self._connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()
        except sqlite3.Error as error:
            raise failed("read", self._path, error) from error

    def stop(self) -> None:
        """Close the connection."""
        self._connection.close()
