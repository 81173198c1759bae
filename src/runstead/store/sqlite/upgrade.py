"""A file, brought up to date without the engine."""

import sqlite3
from contextlib import closing
from pathlib import Path

from runstead.store.sqlite.migrations import migrations, missing
from runstead.store.sqlite.store import SqliteStore
from runstead.wire.error import RunsteadError

__all__ = ["upgrade"]


async def upgrade(path: Path, *, check: bool) -> list[str]:
    """Apply the migrations that the file lacks, or only look; their names. A file that is not there lacks all."""
    lacking = _missing(path)
    if lacking and not check:
        store = SqliteStore(path)
        await store.start()
        await store.stop()
    return [file.stem for file in lacking]


def _missing(path: Path) -> list[Path]:
    if not path.exists():
        return migrations()
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return missing(connection, str(path))
    except sqlite3.Error as error:
        raise RunsteadError(f"cannot open {path}: {error}") from error
