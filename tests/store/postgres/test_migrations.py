"""The schema grows forward only, a file at a time, while others are at work."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from runstead.store.postgres import migrations
from runstead.wire.error import RunsteadError
from tests.store.postgres.conftest import Make
from tests.store.things import find_thread, keep_thread
from tests.support.waiting import within


async def tables(admin: Any, schema: str) -> set[str]:
    rows = await admin.fetch("SELECT table_name FROM information_schema.tables WHERE table_schema = $1", schema)
    return {row[0] for row in rows}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Other migrations than the real ones."""
    other = tmp_path / "migrations"
    other.mkdir()
    monkeypatch.setattr(migrations, "_FOLDER", other)
    return other


async def start(make: Make) -> None:
    store = make()
    await store.start()
    await store.stop()


async def test_migrations_are_numbered_without_gaps() -> None:
    names = sorted(file.name for file in migrations._FOLDER.glob("*.sql"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))


async def test_many_may_start_at_once(make: Make) -> None:
    stores = [make() for _ in range(8)]
    async with within():
        await asyncio.gather(*(store.start() for store in stores))
        await asyncio.gather(*(store.write(keep_thread(f"thread_{n}")) for n, store in enumerate(stores)))
    for number in range(8):
        assert await stores[0].read(find_thread(f"thread_{number}"))
    await asyncio.gather(*(store.stop() for store in stores))


async def test_one_migrates_and_the_others_wait(make: Make, folder: Path, admin: Any, schema: str) -> None:
    (folder / "0001_slow.sql").write_text("CREATE TABLE slow AS SELECT 1 FROM pg_sleep(0.2);")
    async with within(), asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(start(make))
    assert await admin.fetchval(f"SELECT count(*) FROM {schema}.slow") == 1


async def test_only_new_migrations_are_applied(make: Make, folder: Path, admin: Any, schema: str) -> None:
    (folder / "0001_one.sql").write_text("CREATE TABLE one (a text);")
    await start(make)
    (folder / "0001_one.sql").write_text("SELECT no_such_function();")
    (folder / "0002_two.sql").write_text("CREATE TABLE two (a text);")
    await start(make)
    assert await tables(admin, schema) == {"schema_version", "one", "two"}


async def test_a_migration_that_fails_leaves_nothing(make: Make, folder: Path, admin: Any, schema: str) -> None:
    (folder / "0001_good.sql").write_text("CREATE TABLE good (a text);")
    (folder / "0002_bad.sql").write_text("CREATE TABLE bad (a text);\nINSERT INTO nowhere VALUES (1);")
    with pytest.raises(RunsteadError, match="cannot open .*nowhere"):
        await make().start()
    assert await tables(admin, schema) == {"schema_version", "good"}
    (folder / "0002_bad.sql").write_text("CREATE TABLE bad (a text);")
    await start(make)
    assert await tables(admin, schema) == {"schema_version", "good", "bad"}


async def test_older_code_starts_and_works_beside_newer(make: Make, admin: Any, schema: str) -> None:
    store = make()
    await store.start()
    await admin.execute("ALTER TABLE threads ADD COLUMN more text; UPDATE schema_version SET applied = applied + 1")
    await store.write(keep_thread())
    again = make()
    await again.start()
    assert await again.read(find_thread())
    await asyncio.gather(store.stop(), again.stop())


async def test_code_that_is_too_old_is_refused(make: Make, folder: Path) -> None:
    for number in (1, 2):
        (folder / f"000{number}_add.sql").write_text(f"CREATE TABLE t{number} (a text);")
    (folder / "0003_remove.sql").write_text("-- Nobody reads it any more.\n-- oldest: 2\n\nDROP TABLE t1;")
    await start(make)
    (folder / "0003_remove.sql").unlink()
    await start(make)
    (folder / "0002_add.sql").unlink()
    with pytest.raises(RunsteadError, match="serves newer versions of Runstead only"):
        await make().start()


async def test_a_schema_of_another_program_is_refused(make: Make, admin: Any, schema: str) -> None:
    await admin.execute(f"CREATE SCHEMA {schema}; CREATE TABLE {schema}.theirs (a text)")
    with pytest.raises(RunsteadError, match="used by another program"):
        await make().start()
    assert await tables(admin, schema) == {"theirs"}


async def test_a_user_who_may_not_migrate_can_start_on_a_migrated_schema(make: Make, admin: Any, schema: str) -> None:
    await start(make)
    await admin.execute(f"""
        CREATE ROLE clerk_{schema};
        GRANT USAGE ON SCHEMA {schema} TO clerk_{schema};
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO clerk_{schema};
        ALTER ROLE postgres SET role = clerk_{schema};
    """)
    try:
        store = make()
        await store.start()
        await store.write(keep_thread())
        await store.stop()
    finally:
        await admin.execute("ALTER ROLE postgres RESET role")


async def test_a_user_who_may_not_use_the_schema_gets_an_error(make: Make, admin: Any, schema: str) -> None:
    await start(make)
    await admin.execute(f"CREATE ROLE stranger_{schema}; ALTER ROLE postgres SET role = stranger_{schema}")
    try:
        with pytest.raises(RunsteadError, match=f"GRANT USAGE ON SCHEMA {schema}"):
            await make().start()
    finally:
        await admin.execute("ALTER ROLE postgres RESET role")


async def test_a_migration_waits_for_a_table_only_so_long(make: Make, folder: Path, admin: Any, schema: str) -> None:
    (folder / "0001_one.sql").write_text("CREATE TABLE one (a text);")
    await start(make)
    (folder / "0002_more.sql").write_text("SET LOCAL lock_timeout = '50ms';\nALTER TABLE one ADD COLUMN b text;")
    async with within(), admin.transaction():
        await admin.execute(f"SELECT FROM {schema}.one")
        with pytest.raises(RunsteadError, match="lock timeout"):
            await make().start()
    await start(make)


def test_a_migration_changes_one_table_at_a_time_and_builds_no_index_on_it_in_a_transaction() -> None:
    for migration in all_migrations()[1:]:
        altered = set(re.findall(r"^ALTER TABLE (\w+)", migration.script, re.MULTILINE))
        made = set(re.findall(r"^CREATE TABLE (\w+)", migration.script, re.MULTILINE))
        indexed = set(re.findall(r"^CREATE (?:UNIQUE )?INDEX \w+ ON (\w+)", migration.script, re.MULTILINE))
        assert len(altered) <= 1, migration.name
        assert indexed <= made, migration.name


def test_only_indexes_are_built_concurrently() -> None:
    beside = [migration for migration in all_migrations() if migration.beside]
    assert beside
    for migration in beside:
        rest = migrations._INDEX.sub("", migration.script)
        assert [line for line in rest.splitlines() if line and not line.startswith("--")] == []


def all_migrations() -> list[migrations.Migration]:
    return [migrations.Migration(file) for file in sorted(migrations._FOLDER.glob("*.sql"))]
