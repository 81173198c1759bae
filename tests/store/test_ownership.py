"""One process owns the file, for as long as it lives."""

import os
from pathlib import Path

import pytest

from runstead.store.sqlite import SqliteStore
from runstead.wire.error import RunsteadError
from tests.store.things import find_thread, keep_thread


async def test_a_second_opening_is_told_who_owns_the_file(store: SqliteStore, path: Path) -> None:
    with pytest.raises(RunsteadError, match=rf"runstead\.db is in use by process {os.getpid()}"):
        await SqliteStore(path).start()
    await store.write(keep_thread())
    assert await store.read(find_thread())


async def test_an_opening_that_was_refused_takes_nothing_from_the_owner(store: SqliteStore, path: Path) -> None:
    for _ in range(2):
        other = SqliteStore(path)
        with pytest.raises(RunsteadError, match="in use"):
            await other.start()
        await other.stop()


async def test_two_stores_in_memory_are_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first, second = SqliteStore(":memory:"), SqliteStore(":memory:")
    await first.start()
    await second.start()
    await first.write(keep_thread())
    assert await second.read(find_thread()) is None
    await first.stop()
    await second.stop()
    assert not list(tmp_path.iterdir())
