"""The index file: opened, made when it is missing, and replaced when it is damaged."""

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from runstead.retrieval.index.sqlite.schema import SCHEMA, VERSION
from runstead.wire.error import RunsteadError, Unreachable

__all__ = ["IndexFile"]

_log = logging.getLogger("runstead.index")

_PRAGMAS = {
    "journal_mode": "WAL",
    # The index is derived: a commit that a power failure loses is found missing, and made again.
    "synchronous": "NORMAL",
    "journal_size_limit": f"{64 * 1024 * 1024}",
    "secure_delete": "ON",
    "temp_store": "MEMORY",
    "cache_size": f"-{16 * 1024}",  # KiB of each connection
}
_WAIT = 10.0
"""Seconds that a writer waits for the writer of another process."""
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_OUTAGES = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
}
"""Errors that pass: another program holds the file, or the disk, the memory or the open files are used up."""
_LOOK = """SELECT (SELECT max(id) FROM chunks), (SELECT rowid FROM postings WHERE postings MATCH '"0:"')"""
_REBUILD = "`runstead reindex` fills it again"


class IndexFile:
    """One file, and connections to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._marker = path.with_name(f"{path.name}.damaged")

    def prepare(self) -> None:
        """Make the file if it is missing, damaged or of another version. Raises `Unreachable`."""
        try:
            if self._marker.exists():
                self._replace("it was damaged")
            elif not self.path.exists():
                _log.info("the search index is new", extra={"path": str(self.path)})
                self._make()
            else:
                self._check()
        except OSError as error:
            raise Unreachable(f"cannot open the search index {self.path}: {error}") from error

    def connect(self, *, reading: bool = False) -> sqlite3.Connection:
        """A connection for one thread at a time."""
        connection = sqlite3.connect(self.path, timeout=_WAIT, isolation_level=None, check_same_thread=False)
        try:
            for pragma, value in _PRAGMAS.items():
                connection.execute(f"PRAGMA {pragma} = {value}")
            if reading:
                connection.execute("PRAGMA query_only = ON")
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def errors(self, doing: str) -> Iterator[None]:
        """Turns errors of SQLite into those of the port. A damaged file is replaced at the next start."""
        try:
            yield
        except sqlite3.Error as error:
            if _code(error) in _DAMAGED:
                self._marker.touch(mode=0o600)
                raise RunsteadError(
                    f"the search index {self.path} is damaged ({error}). "
                    f"The next start replaces it by an empty one; {_REBUILD}"
                ) from error
            kind = Unreachable if _code(error) in _OUTAGES else RunsteadError
            raise kind(f"cannot {doing} the search index {self.path}: {error}") from error

    def _check(self) -> None:
        with self.errors("open"):
            try:
                with closing(self.connect()) as connection:
                    version = connection.execute("PRAGMA user_version").fetchone()[0]
                    tables = connection.execute(
                        "SELECT count(*) FROM sqlite_schema WHERE name = 'postings'"
                    ).fetchone()[0]
                    if tables:
                        connection.execute(_LOOK).fetchone()
            except sqlite3.DatabaseError as error:
                if _code(error) not in _DAMAGED:
                    raise
                self._replace(str(error))
                return
        if version != VERSION or not tables:
            self._replace("another version wrote it" if tables else "it was not finished")

    def _replace(self, why: str) -> None:
        _log.warning(
            "the search index is replaced by an empty one: %s. %s", why, _REBUILD, extra={"path": str(self.path)}
        )
        for file in self.path.parent.glob(f"{self.path.name}*"):
            if file != self._marker:
                file.unlink()
        self._make()
        self._marker.unlink(missing_ok=True)

    def _make(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        with self.errors("make"), closing(self.connect()) as connection:
            connection.executescript(f"BEGIN;\n{SCHEMA}\nCOMMIT;")


def _code(error: sqlite3.Error) -> int:
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF
