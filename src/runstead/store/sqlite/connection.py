"""Connections, and the session that the collections speak to."""

import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TypeAlias, TypeVar

from runstead.store.port import Tx, Unknown
from runstead.store.tables.table import NotSingle, Row, Value
from runstead.wire.error import RunsteadError, Unreachable

__all__ = ["SqliteSession", "Work", "connect", "failed", "is_busy", "perform", "wait_no_more"]

T = TypeVar("T")

Work: TypeAlias = Callable[[Tx], Awaitable[T]]
"""A transaction. It awaits nothing but its tx, which never suspends here."""

_STATEMENTS = 256
"""Prepared statements kept: more than there are."""

_PRAGMAS = {
    "journal_mode": "WAL",
    "synchronous": "FULL",
    "fullfsync": "ON",  # macOS: only this reaches the disk; elsewhere it changes nothing
    "checkpoint_fullfsync": "ON",
    "wal_autocheckpoint": "2000",  # pages: a checkpoint is paid by the commit that does it, so not too often
    "journal_size_limit": f"{64 * 1024 * 1024}",
    "secure_delete": "ON",  # the bytes of what is deleted are overwritten, not only unlinked
    "temp_store": "MEMORY",  # savepoints keep their undo there
    "cache_size": f"-{32 * 1024}",  # KiB
}

_OUTAGES = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
}
"""Errors that pass: another program holds the file, the disk, the memory or the open files are used up, or the system
has made the disk read-only.
"""


def connect(path: str, patience: float) -> sqlite3.Connection:
    """Open a connection. Until `wait_no_more` it waits up to `patience` seconds for other programs, and blocks."""
    # Statements run on the event loop and COMMIT in a thread, never at once.
    connection = sqlite3.connect(
        path, timeout=patience, isolation_level=None, check_same_thread=False, cached_statements=_STATEMENTS
    )
    try:
        for pragma, value in _PRAGMAS.items():
            connection.execute(f"PRAGMA {pragma} = {value}")
    except BaseException:
        connection.close()
        raise
    return connection


def wait_no_more(connection: sqlite3.Connection) -> None:
    """Report other programs at once from now on: the loop must not be blocked."""
    connection.execute("PRAGMA busy_timeout = 0")


def is_busy(error: sqlite3.Error) -> bool:
    """Another program holds the database: it may be free in a moment."""
    return _code(error) == sqlite3.SQLITE_BUSY


def failed(doing: str, path: str, cause: BaseException) -> RunsteadError:
    """The error for a caller whose transaction failed: `Unreachable` where a later try may succeed."""
    kind = Unreachable if not isinstance(cause, sqlite3.Error) or _code(cause) in _OUTAGES else RunsteadError
    error = kind(f"cannot {doing} {path}: {cause}")
    error.__cause__ = cause
    return error


def _code(error: sqlite3.Error) -> int:
    code: int = getattr(error, "sqlite_errorcode", 0)  # errors of Python's own have none
    return code & 0xFF


class SqliteSession:
    """`table.Session` on a connection. Its methods never suspend: a statement takes microseconds, so it runs here."""

    def __init__(self, connection: sqlite3.Connection, unknown: dict[str, Unknown] | None = None) -> None:
        self.unknown = {} if unknown is None else unknown
        self._connection = connection
        self._left: int | None = None
        """Statements that may still be made outside of a transaction; None inside of one."""

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While inside, there is no transaction: one statement may be made, the next one is `NotSingle`."""
        self._left = 1
        try:
            yield
        finally:
            self._left = None

    async def row(self, sql: str, **values: Value) -> Row | None:
        row: Row | None = self._execute(sql, values).fetchone()
        return row

    async def rows(self, sql: str, **values: Value) -> list[Row]:
        return self._execute(sql, values).fetchall()

    async def rows_within(
        self, sql: str, columns: tuple[str, ...], size: int, **values: Value
    ) -> tuple[list[Row], bool]:
        rows: list[Row] = []
        with closing(self._execute(sql, values)) as cursor:
            for row in cursor:
                size -= sum(len(part) for part in row if part)
                if rows and size < 0:
                    return rows, True
                rows.append(row)
        return rows, False

    async def execute(self, sql: str, **values: Value) -> None:
        self._execute(sql, values)

    async def execute_many(self, sql: str, rows: Iterable[Mapping[str, Value]]) -> None:
        self._connection.executemany(sql, rows)

    def _execute(self, sql: str, values: Mapping[str, Value]) -> sqlite3.Cursor:
        if self._left is not None:
            if not self._left:
                raise NotSingle(sql)
            self._left -= 1
        return self._connection.execute(sql, values)


def perform(work: Work[T], tx: Tx) -> T:
    """The result of a transaction, run to its end at once; `RuntimeError` if it awaits anything but its tx."""
    steps = work(tx).__await__()
    try:
        next(steps)
    except StopIteration as end:
        result: T = end.value
        return result
    steps.close()
    raise RuntimeError(f"a transaction may await nothing but the methods of its tx: {work!r} awaited something else")
