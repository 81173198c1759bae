"""A file of the schema before positions keeps the order of its lists."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from runstead.store.sqlite import SqliteStore, migrations
from runstead.wire.run import Status
from tests.store.rows_without_positions import LISTS, expected, newest, rows, whole_lists
from tests.store.things import MINE, becomes, changed, message
from tests.support.older_schema import migrations_up_to

BEFORE = 7
"""The last schema without positions."""


@pytest.fixture
async def old(path: Path, tmp_path: Path) -> Path:
    """A file of the schema before."""
    with migrations_up_to(BEFORE, migrations, tmp_path):
        store = SqliteStore(path)
        await store.start()
        await store.stop()
    with closing(sqlite3.connect(path)) as connection, connection:
        for table, columns in rows():
            places = ", ".join("?" * len(columns))
            connection.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", list(columns.values()))
    return path


async def test_a_migrated_file_has_its_lists_in_the_order_before(old: Path) -> None:
    store = SqliteStore(old)
    await store.start()
    assert await whole_lists(store) == {kind: expected(kind) for kind in LISTS}
    assert await newest(store) == [name for name in expected("messages") if name.startswith("item")]
    await store.stop()


async def test_rows_added_to_a_migrated_file_stand_at_the_end(old: Path) -> None:
    store = SqliteStore(old)
    await store.start()
    await store.write(lambda tx: tx.messages.insert(MINE, [message("new", 1)]))
    before = [name for name in expected("messages") if name.startswith("item")]
    assert await newest(store) == [*before, "new"]
    row = await store.read(lambda tx: tx.runs.load("item_0"))
    assert row is not None
    await store.write(lambda tx: changed(tx, row, becomes(row.run, Status.COMPLETED), ()))
    assert await newest(store) == [*before, "new", "waiting_0", "waiting_1"]
    await store.stop()
