"""Reads: each in a transaction of its own, so it sees one committed state; on the event loop, at once."""

import asyncio
import sqlite3
from typing import TypeVar

from runstead.store.port import Tx
from runstead.store.sqlite.connection import PAUSE, is_busy, wait_no_more
from runstead.store.sqlite.work import Work, perform
from runstead.wire.error import RunsteadError

__all__ = ["Reader"]

T = TypeVar("T")


class Reader:
    """Performs transactions that only read, on a connection that cannot write."""

    def __init__(self, connection: sqlite3.Connection, tx: Tx, path: str, patience: float) -> None:
        wait_no_more(connection)
        connection.execute("PRAGMA query_only = ON")
        self._connection = connection
        self._tx = tx
        self._path = path
        self._patience = patience

    async def read(self, work: Work[T]) -> T:
        """What the work returns."""
        loop = asyncio.get_running_loop()
        give_up = loop.time() + self._patience
        while True:
            try:
                return self._perform(work)
            except sqlite3.OperationalError as error:
                if not is_busy(error):
                    raise
                if loop.time() >= give_up:
                    raise RunsteadError(f"cannot read {self._path}: {error}") from error
            await asyncio.sleep(PAUSE)

    def stop(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _perform(self, work: Work[T]) -> T:
        self._connection.execute("BEGIN")
        try:
            return perform(work, self._tx)
        finally:
            self._connection.execute("COMMIT")
