"""The store itself: one connection that writes, one that reads."""

import sqlite3
from contextlib import AbstractAsyncContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import TypeVar

from runstead.store.port import Lane, Presence, Unknown
from runstead.store.sqlite.connection import SqliteSession, Work, connect
from runstead.store.sqlite.migrations import migrate
from runstead.store.sqlite.ownership import Ownership
from runstead.store.sqlite.reader import Reader
from runstead.store.sqlite.writer import Writer
from runstead.store.tables.queries import load
from runstead.store.tables.transaction import SqlTx
from runstead.wire.error import Closed, RunsteadError

__all__ = ["SqliteStore"]

T = TypeVar("T")

_MEMORY = ":memory:"


class SqliteStore:
    """`port.Store` in one file, owned by one process; or at `:memory:`, lost when it stops.

    It waits up to `patience` seconds for other programs that hold the file, such as a backup.
    """

    def __init__(self, path: str | Path, *, patience: float = 5.0) -> None:
        self._path = str(path)
        self._patience = patience
        self._ownership = Ownership(self._path)
        self._writer: Writer | None = None
        self._reader: Reader | None = None

    @property
    def shared(self) -> bool:
        return False

    def presence(self, worker: str) -> AbstractAsyncContextManager[Presence]:
        return nullcontext(self)

    @property
    def commits(self) -> int:
        """How many commits there were since the start; what was written together counts once."""
        return self._open_writer.commits

    async def start(self) -> None:
        try:
            self._open()
        except (OSError, RuntimeError, sqlite3.Error) as error:  # a thread that cannot start is a `RuntimeError`
            raise RunsteadError(f"cannot open {self._path}: {error}") from error

    async def stop(self) -> None:
        writer, self._writer = self._writer, None  # from here on no transaction begins
        if writer is None:
            return
        try:
            await writer.stop()
        finally:
            if self._reader is not None:
                self._reader.stop()
                self._reader = None
            self._ownership.release()

    async def check(self) -> None:
        if self._reader is not None:
            self._reader.check()
        await self._open_writer.check()

    async def read(self, work: Work[T], *, single: bool = False, lane: Lane = Lane.CALL) -> T:
        writer = self._open_writer
        if self._reader is None:  # in memory there is but one connection
            return await writer.write(work)
        return self._reader.read(work, single=single)

    async def write(self, work: Work[T], *, single: bool = False, lane: Lane = Lane.CALL) -> T:
        return await self._open_writer.write(work)

    @property
    def _open_writer(self) -> Writer:
        if self._writer is None:
            raise Closed(f"the store {self._path} is not open")
        return self._writer

    def _open(self) -> None:
        queries = load("sqlite")
        with ExitStack() as undo:
            if self._path != _MEMORY:
                self._ownership.take()
                undo.callback(self._ownership.undo)
            connection = connect(self._path, self._patience)
            undo.callback(connection.close)
            migrate(connection, self._path)
            unknown: dict[str, Unknown] = {}
            if self._path != _MEMORY:
                reading = connect(self._path, self._patience)
                undo.callback(reading.close)
                session = SqliteSession(reading, unknown)
                self._reader = Reader(reading, session, SqlTx(session, queries), self._path)
            self._writer = Writer(
                connection, SqlTx(SqliteSession(connection, unknown), queries), self._path, self._patience
            )
            undo.pop_all()
