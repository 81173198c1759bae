"""A schema without positions keeps the order of its lists, and of what processes of that schema write meanwhile."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from runstead.store.postgres import PostgresStore, migrations
from runstead.wire.run import Status
from tests.store.postgres.conftest import Make
from tests.store.rows_without_positions import LISTS, expected, newest, rows, whole_lists
from tests.store.things import MINE, becomes, changed, message
from tests.support.older_schema import migrations_up_to

BEFORE = 11
"""The last schema without positions."""
PAGE_BEFORE = "SELECT id FROM messages WHERE thread_id = 'thread_1' ORDER BY created_at, seq"
"""A list of messages, by the statement of the code before."""

IDENTITIES = """
SELECT attidentity FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
 WHERE attname = 'seq' AND attidentity <> '' AND relnamespace = current_schema()::regnamespace
"""


@pytest.fixture
async def old(make: Make, tmp_path: Path, admin: Any) -> None:
    """A schema of the version before."""
    with migrations_up_to(BEFORE, migrations, tmp_path):
        store = make()
        await store.start()
        await store.stop()
    for table, columns in rows():
        given = dict(columns)
        if table == "webhooks":
            given["enabled"] = True
        places = ", ".join(f"${number}" for number in range(1, len(given) + 1))
        await admin.execute(f"INSERT INTO {table} ({', '.join(given)}) VALUES ({places})", *given.values())


@pytest.fixture
async def migrated(old: None, make: Make) -> AsyncIterator[PostgresStore]:
    store = make()
    await store.start()
    yield store
    await store.stop()


async def test_a_migrated_schema_has_its_lists_in_the_order_before(migrated: PostgresStore, admin: Any) -> None:
    assert await whole_lists(migrated) == {kind: expected(kind) for kind in LISTS}
    assert await newest(migrated) == [name for name in expected("messages") if name.startswith("item")]
    assert [row[0] for row in await admin.fetch(PAGE_BEFORE)] == expected("messages")


async def test_rows_added_to_a_migrated_schema_stand_at_the_end(migrated: PostgresStore) -> None:
    await migrated.write(lambda tx: tx.messages.insert(MINE, [message("new", 1)]))
    before = [name for name in expected("messages") if name.startswith("item")]
    assert await newest(migrated) == [*before, "new"]
    row = await migrated.read(lambda tx: tx.runs.load("item_0"))
    assert row is not None
    await migrated.write(lambda tx: changed(tx, row, becomes(row.run, Status.COMPLETED), ()))
    assert await newest(migrated) == [*before, "new", "waiting_0", "waiting_1"]


async def test_a_migration_of_rows_that_died_is_applied_again(
    make: Make, old: None, tmp_path: Path, admin: Any
) -> None:
    with migrations_up_to(BEFORE + 2, migrations, tmp_path):
        for _ in range(2):
            store = make()
            await store.start()
            await store.stop()
            await admin.execute(f"UPDATE schema_version SET applied = {BEFORE}")
    store = make()
    await store.start()
    assert await whole_lists(store) == {kind: expected(kind) for kind in LISTS}
    await store.stop()


async def test_a_migrated_schema_takes_its_numbers_from_the_database_alone(migrated: PostgresStore, admin: Any) -> None:
    assert {row[0] for row in await admin.fetch(IDENTITIES)} == {b"a"}
