"""The schema grows forward only, a file at a time."""

import sqlite3
from pathlib import Path

import pytest

from runstead.store.sqlite import SqliteStore, migrations
from runstead.wire.error import RunsteadError
from tests.store.things import find_thread, keep_thread


def schema(path: Path) -> list[tuple[str, str]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()
    finally:
        connection.close()


def run(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


async def test_migrations_are_numbered_without_gaps() -> None:
    names = sorted(file.name for file in migrations._FOLDER.glob("*.sql"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))


async def test_a_schema_that_is_up_to_date_stays_as_it_is(path: Path) -> None:
    seen = []
    for _ in range(2):
        store = SqliteStore(path)
        await store.start()
        await store.stop()
        seen.append(schema(path))
    assert seen[0]
    assert seen[0] == seen[1]


async def test_two_databases_have_the_same_schema(path: Path) -> None:
    other = path.with_name("other.db")
    for each in (path, other):
        store = SqliteStore(each)
        await store.start()
        await store.stop()
    assert schema(path) == schema(other)


async def test_only_new_migrations_are_applied(
    path: Path, tmp_path: Path, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.write(keep_thread())
    await store.stop()
    folder = tmp_path / "migrations"
    folder.mkdir()
    for file in migrations._FOLDER.glob("*.sql"):
        (folder / file.name).write_text("SELECT no_such_function();")
    (folder / "9999_more.sql").write_text("CREATE TABLE more (a TEXT);")
    monkeypatch.setattr(migrations, "_FOLDER", folder)
    again = SqliteStore(path)
    await again.start()
    assert await again.read(find_thread())
    await again.stop()
    assert "more" in dict(schema(path))


async def test_a_migration_that_fails_leaves_nothing(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_good.sql").write_text("CREATE TABLE good (a TEXT);")
    (folder / "0002_bad.sql").write_text("CREATE TABLE bad (a TEXT);\nINSERT INTO nowhere VALUES (1);")
    monkeypatch.setattr(migrations, "_FOLDER", folder)
    with pytest.raises(RunsteadError, match="nowhere"):
        await SqliteStore(path).start()
    assert list(dict(schema(path))) == ["good"]
    (folder / "0002_bad.sql").write_text("CREATE TABLE bad (a TEXT);")
    store = SqliteStore(path)
    await store.start()
    await store.stop()
    assert sorted(dict(schema(path))) == ["bad", "good"]


async def test_the_database_of_a_newer_version_is_refused(path: Path) -> None:
    run(path, "PRAGMA user_version = 1000")
    with pytest.raises(RunsteadError, match="newer version of Runstead"):
        await SqliteStore(path).start()


async def test_the_database_of_another_program_is_refused(path: Path) -> None:
    run(path, "CREATE TABLE theirs (a)")
    with pytest.raises(RunsteadError, match="another program"):
        await SqliteStore(path).start()
    assert list(dict(schema(path))) == ["theirs"]


@pytest.fixture
def diary(path: Path) -> Path:
    path.write_text("Dear diary, " * 1000)
    return path


async def test_a_file_that_is_no_database_is_refused(diary: Path) -> None:
    with pytest.raises(RunsteadError, match="not a database"):
        await SqliteStore(diary).start()


async def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(RunsteadError, match=r"cannot open .*nowhere"):
        await SqliteStore(tmp_path / "nowhere" / "runstead.db").start()


async def test_a_start_that_failed_leaves_the_file_to_others(path: Path) -> None:
    run(path, "PRAGMA user_version = 1000")
    with pytest.raises(RunsteadError):
        await SqliteStore(path).start()
    run(path, "PRAGMA user_version = 0")
    store = SqliteStore(path)
    await store.start()
    await store.stop()
