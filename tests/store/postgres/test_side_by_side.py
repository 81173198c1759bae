"""A schema is migrated under load: writers go on, whatever else migrates or is killed."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from runstead.store.port import RunRow, Tx
from runstead.store.postgres import migrations
from runstead.wire.run import Status
from tests.store.postgres.conftest import Make
from tests.store.postgres.version_one import VersionOne
from tests.store.things import MINE, becomes, changed, created, event, run, thread
from tests.support.older_schema import migrations_up_to
from tests.support.postgres import server
from tests.support.program import Program
from tests.support.waiting import until, within
from tests.support.worlds import world

WRITERS = 4
MANY = 10_000
FILL = """
INSERT INTO runs (id, project, thread_id, created_at, status, version, last_event, body)
SELECT 'run_old' || n, 'default', 'thread_old' || n, n, 'completed', 1, 0, '{}' FROM generate_series(1, $1::int) AS n
"""
FILL_MESSAGES = """
INSERT INTO messages (id, project, thread_id, created_at, body)
SELECT 'msg_old' || n, 'default', 'thread_old' || n, n, '{}' FROM generate_series(1, $1::int) AS n
"""
INDEXES = """
SELECT relname, indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
 WHERE relnamespace = to_regnamespace($1)
"""
BUILDING = """
SELECT pid FROM pg_stat_activity
 WHERE query LIKE 'CREATE INDEX CONCURRENTLY%' AND wait_event = 'virtualxid' AND state = 'active'
"""
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_try_advisory_lock%'"

Migrate = Callable[..., Program]


@pytest.fixture
async def old(schema: str, make: Make, tmp_path: Path, admin: Any) -> None:
    """The schema is at version 1, and not empty."""
    with migrations_up_to(1, migrations, tmp_path):
        store = make()
        await store.start()
        await store.stop()
    await admin.execute(f"SET search_path = {schema}")
    for filling in (FILL, FILL_MESSAGES):
        await admin.execute(filling, MANY)


@pytest.fixture
async def writers(old: None, schema: str) -> AsyncIterator[list[VersionOne]]:
    """Processes of version 1 that write all the time; at the end none of them has failed."""
    enough = asyncio.Event()
    async with AsyncExitStack() as closing, asyncio.TaskGroup() as working:
        writers = [await VersionOne.connect(server().url, schema, f"w{number}") for number in range(WRITERS)]
        for writer in writers:
            closing.push_async_callback(writer.close)
        tasks = [working.create_task(writer.work(enough)) for writer in writers]
        await all_write(writers)
        yield writers
        enough.set()
        await asyncio.gather(*tasks)


@pytest.fixture
def migrate(schema: str) -> Iterator[Migrate]:
    """Starts `runstead migrate`."""
    with ExitStack() as closing:

        def start(*arguments: str) -> Program:
            program = Program("migrate", *arguments, database=server().url, installation=schema)
            closing.callback(program.close)
            return program

        yield start


@pytest.fixture
async def reader() -> AsyncIterator[Any]:
    """A transaction of another program, such as a back-up. Until it ends no index is complete."""
    connection = await asyncpg.connect(server().url)
    await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
    yield connection
    await connection.close()


async def add_columns(admin: Any) -> None:
    """Apply what comes behind the indexes, but for other indexes: code needs it, and it is made in no time."""
    for file in sorted(migrations._FOLDER.glob("*.sql"))[7:]:
        migration = migrations.Migration(file)
        if not migration.beside:
            await admin.execute(migration.script)


async def all_write(writers: list[VersionOne]) -> None:
    """Until each has carried a run that it began after this was asked."""
    goals = [writer.done + 2 for writer in writers]
    await until(lambda: all(writer.done >= goal for writer, goal in zip(writers, goals, strict=True)))


async def building(admin: Any) -> int:
    """Until an index is being built, and waits for the reader; the server's process that does."""
    found = list[int]()

    async def is_building() -> bool:
        found[:] = [row[0] for row in await admin.fetch(BUILDING)]
        return bool(found)

    await until(is_building)
    return found[0]


async def ended(program: Program) -> int:
    return await asyncio.to_thread(program.ended)


async def indexes(admin: Any, schema: str) -> dict[str, bool]:
    """All indexes, and whether they are complete."""
    return {row[0]: row[1] for row in await admin.fetch(INDEXES, schema)}


async def test_writers_go_on_while_the_schema_is_migrated(
    writers: list[VersionOne], reader: Any, migrate: Migrate, admin: Any, schema: str
) -> None:
    migrating = migrate()
    await building(admin)
    await all_write(writers)
    await reader.execute("COMMIT")
    assert await ended(migrating) == 0
    await all_write(writers)
    assert max(writer.slowest for writer in writers) < 2
    assert all((await indexes(admin, schema)).values())


async def test_a_schema_that_has_grown_is_as_one_that_was_made_new(
    writers: list[VersionOne], migrate: Migrate, make: Make, admin: Any, schema: str
) -> None:
    assert await ended(migrate()) == 0
    fresh = make(schema=f"{schema}_new")
    await fresh.start()
    await fresh.stop()
    for query in (
        "SELECT replace(indexdef, schemaname, '') FROM pg_indexes WHERE schemaname = $1 ORDER BY 1",
        "SELECT table_name, column_name, data_type, column_default, is_nullable, collation_name"
        "  FROM information_schema.columns WHERE table_schema = $1 ORDER BY 1, 2",
    ):
        assert await admin.fetch(query, schema) == await admin.fetch(query, f"{schema}_new")


async def test_both_versions_work_on_the_rows_of_the_other(
    writers: list[VersionOne], migrate: Migrate, make: Make
) -> None:
    assert await ended(migrate()) == 0
    old, store = writers[0], make()
    await store.start()
    theirs = await (other := await VersionOne.connect(server().url, make()._schema, "other")).make("theirs")

    async def take(tx: Tx) -> RunRow:
        row = await tx.runs.load(theirs)
        assert row is not None
        row = await changed(tx, row, becomes(row.run, Status.IN_PROGRESS), [event()], owner="new")
        return await changed(tx, row, becomes(row.run, Status.COMPLETED), [event()])

    async def add(tx: Tx) -> None:
        await tx.threads.insert(MINE, thread("thread_ours"))
        await created(tx, MINE, run("run_ours", thread_id="thread_ours"), [event()])
        await created(tx, MINE, run("run_behind", thread_id="thread_ours"), [event()], predecessor="run_ours")

    async with within():
        assert theirs in await store.read(lambda tx: tx.runs.claimable(None, 200, 1000))
        assert (await store.write(take)).seq == 3
        await store.write(add)
        assert "run_ours" in await other.queued()
        assert "run_behind" not in await other.queued()
        await other.carry("run_ours")
        row = await store.read(lambda tx: tx.runs.load("run_ours"))
        assert row is not None
        assert (row.run.status, row.version, row.seq) == (Status.COMPLETED, 3, 3)
        await all_write([old])
        await other.close()
        await store.stop()


async def test_new_code_works_while_its_indexes_are_being_built(
    writers: list[VersionOne], reader: Any, migrate: Migrate, make: Make, admin: Any, tmp_path: Path
) -> None:
    with migrations_up_to(6, migrations, tmp_path):
        store = make()
        await store.start()
        await store.stop()
    await add_columns(admin)
    migrating = migrate()
    await building(admin)
    with migrations_up_to(6, migrations, tmp_path):
        async with within(), world(["One.", "Two."], store=make()) as here:
            first = await here.start("Hi")
            second = await here.again(first, on_busy="enqueue")
            assert [(await here.ended(each)).status for each in (first, second)] == ["completed", "completed"]
    await reader.execute("COMMIT")
    assert await ended(migrating) == 0


async def test_of_two_that_migrate_one_waits_for_the_other(
    writers: list[VersionOne], reader: Any, migrate: Migrate, admin: Any
) -> None:
    first = migrate()
    await building(admin)
    second = migrate()

    async def waits() -> bool:
        return bool(await admin.fetchval(WAITING) == 1)

    await until(waits)
    await reader.execute("COMMIT")
    assert [await ended(first), await ended(second)] == [0, 0]
    said = [program.process.stdout.read() for program in (first, second) if program.process.stdout]
    assert "Applied: 0007_line_indexes" in said[0]
    assert said[1] == "Up to date.\n"


async def test_an_unfinished_index_of_a_killed_migration_is_built_again(
    writers: list[VersionOne], reader: Any, migrate: Migrate, admin: Any, schema: str
) -> None:
    killed = migrate()
    process = await building(admin)
    await asyncio.to_thread(killed.kill)
    await admin.fetch("SELECT pg_terminate_backend($1, 5000)", process)
    assert not all((await indexes(admin, schema)).values())
    again = migrate()
    await all_write(writers)
    await asyncio.to_thread(again.wait_for_log, "dropping an unfinished index")
    await reader.execute("COMMIT")
    assert await ended(again) == 0
    assert all((await indexes(admin, schema)).values())


async def test_a_migration_whose_process_was_killed_is_finished_by_the_next(
    writers: list[VersionOne], reader: Any, migrate: Migrate, admin: Any, schema: str
) -> None:
    killed = migrate()
    await building(admin)
    await asyncio.to_thread(killed.kill)
    again = migrate()
    await all_write(writers)
    await reader.execute("COMMIT")
    assert await ended(again) == 0
    assert all((await indexes(admin, schema)).values())
    assert len(await indexes(admin, schema)) > 20


async def test_a_check_lists_the_missing_migrations(old: None, migrate: Migrate, admin: Any, schema: str) -> None:
    before = await indexes(admin, schema)
    looking = migrate("--check")
    assert await ended(looking) == 1
    assert looking.process.stdout
    assert looking.process.stdout.readline() == "Missing: 0002_lines\n"
    assert await indexes(admin, schema) == before
