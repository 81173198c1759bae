"""An SQLite store in a file."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from runstead.store.sqlite import SqliteStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runstead.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(path)
    await store.start()
    yield store
    await store.stop()
