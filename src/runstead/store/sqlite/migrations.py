"""The schema, brought up to date: numbered SQL files, forward only, each in one transaction.

`PRAGMA user_version` is the number of the last one applied. A migration that is released is never changed.
"""

import sqlite3
from pathlib import Path

from runstead.wire.error import RunsteadError

__all__ = ["migrate", "migrations", "missing"]

_FOLDER = Path(__file__).parents[1] / "migrations" / "sqlite"


def migrations() -> list[Path]:
    """All that there are, in order."""
    return sorted(_FOLDER.glob("*.sql"))


def migrate(connection: sqlite3.Connection, path: str) -> None:
    """Apply what is not applied yet. Refuses the database of a newer version, and that of another program."""
    for file in missing(connection, path):
        _apply(connection, file)


def missing(connection: sqlite3.Connection, path: str) -> list[Path]:
    """The migrations that are not applied yet. Refuses as `migrate` does."""
    files = migrations()
    (applied,) = connection.execute("PRAGMA user_version").fetchone()
    if applied > len(files):
        raise RunsteadError(
            f"{path} was written by a newer version of Runstead (schema {applied}; this version has {len(files)})"
        )
    if applied == 0 and connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone():
        raise RunsteadError(f"{path} is a database of another program")
    return files[applied:]


def _apply(connection: sqlite3.Connection, file: Path) -> None:
    script = file.read_text(encoding="utf-8")
    number = int(file.name[:4])
    try:
        connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.rollback()
        raise
