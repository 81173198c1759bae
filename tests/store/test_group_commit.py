"""Group commit: transactions that wait together are committed together, and fail alone."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pytest

from runstead.store.port import Tx
from runstead.store.sqlite import SqliteStore
from runstead.wire.error import RunsteadError
from tests.store.things import MINE, find_thread, keep_thread, message, thread


def writing(store: SqliteStore) -> sqlite3.Connection:
    assert store._writer is not None
    return store._writer._connection


@contextmanager
def held_by_another_program(path: Path) -> Iterator[sqlite3.Connection]:
    """The file, locked for writing as a backup or a shell may lock it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection


async def test_writes_at_once_share_a_commit(store: SqliteStore) -> None:
    await asyncio.gather(*(store.write(keep_thread(f"thread_{number}")) for number in range(50)))
    assert 1 <= store.commits <= 10


async def test_writes_one_after_the_other_commit_each(store: SqliteStore) -> None:
    for number in range(5):
        await store.write(keep_thread(f"thread_{number}"))
    assert store.commits == 5


async def test_writes_during_a_commit_are_committed_together(store: SqliteStore) -> None:
    async def chain(name: str) -> None:
        for number in range(20):
            await store.write(keep_thread(f"thread_{name}_{number}"))

    await asyncio.gather(*(chain(str(name)) for name in range(16)))
    assert store.commits <= 100


async def test_works_run_in_the_order_they_were_asked_for(store: SqliteStore) -> None:
    ran: list[int] = []

    async def work(number: int, tx: Tx) -> None:
        ran.append(number)

    async with asyncio.TaskGroup() as group:
        for number in range(600):
            group.create_task(store.write(partial(work, number)))
    assert ran == list(range(600))


async def test_a_read_sees_only_committed_writes(store: SqliteStore) -> None:
    async def work(tx: Tx) -> object:
        await tx.threads.insert(MINE, thread())
        return await store.read(find_thread())

    assert await store.write(work) is None
    assert await store.read(find_thread())


async def test_a_read_cannot_write(store: SqliteStore) -> None:
    with pytest.raises(RunsteadError, match="readonly"):
        await store.read(keep_thread())
    assert await store.read(find_thread()) is None


@pytest.mark.parametrize("together", [1, 3])
async def test_a_work_that_awaits_something_else_is_an_error(store: SqliteStore, together: int) -> None:
    async def work(tx: Tx) -> None:
        await tx.threads.insert(MINE, thread())
        await asyncio.sleep(0)

    others = [store.write(keep_thread(f"thread_of_{number}")) for number in range(1, together)]
    result, *rest = await asyncio.gather(store.write(work), *others, return_exceptions=True)
    assert isinstance(result, RuntimeError)
    assert "nothing but the methods of its tx" in str(result)
    assert rest == [None] * (together - 1)
    assert await store.read(find_thread()) is None
    await store.write(keep_thread())
    assert await store.read(find_thread())


async def test_a_write_within_a_write_is_an_error_and_writes_nothing(store: SqliteStore) -> None:
    async def work(tx: Tx) -> None:
        await store.write(keep_thread("thread_within"))

    with pytest.raises(RuntimeError, match="nothing but the methods of its tx"):
        await store.write(work)
    await store.write(keep_thread())
    assert await store.read(find_thread())
    assert await store.read(find_thread("thread_within")) is None


async def test_a_read_that_awaits_something_else_is_an_error(store: SqliteStore) -> None:
    async def work(tx: Tx) -> None:
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="nothing but the methods of its tx"):
        await store.read(work)
    assert await store.read(find_thread()) is None


async def test_a_work_whose_caller_is_cancelled_before_it_begins_writes_nothing(store: SqliteStore) -> None:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(store.write(keep_thread()))
        group.create_task(store.write(keep_thread("thread_2")))
        await asyncio.sleep(0)
        task.cancel()
    assert await store.read(find_thread("thread_2"))
    assert await store.read(find_thread()) is None


async def test_a_work_whose_caller_is_cancelled_during_the_commit_is_written(store: SqliteStore) -> None:
    began = asyncio.Event()

    async def work(tx: Tx) -> None:
        await tx.threads.insert(MINE, thread())
        began.set()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(store.write(work))
        await began.wait()
        task.cancel()
    await store.write(keep_thread("thread_2"))
    assert await store.read(find_thread())


@pytest.mark.parametrize("together", [1, 3])
async def test_a_commit_that_fails_fails_all_that_shared_it(store: SqliteStore, together: int) -> None:
    connection = writing(store)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
    connection.execute("CREATE TABLE child (id REFERENCES parent DEFERRABLE INITIALLY DEFERRED)")

    async def work(tx: Tx) -> None:
        connection.execute("INSERT INTO child VALUES (1)")  # what is wrong with it, only COMMIT finds

    writes = [store.write(keep_thread(f"thread_{number}")) for number in range(1, together)]
    results = await asyncio.gather(*writes, store.write(work), return_exceptions=True)
    assert len(results) == together
    for result in results:
        assert isinstance(result, RunsteadError)
        assert "FOREIGN KEY" in str(result)
        assert isinstance(result.__cause__, sqlite3.IntegrityError)
    assert await store.read(find_thread("thread_1")) is None
    await store.write(keep_thread("thread_1"))
    assert await store.read(find_thread("thread_1"))


@pytest.mark.parametrize("together", [1, 5])
async def test_a_full_disk_fails_only_the_writes_that_do_not_fit(store: SqliteStore, together: int) -> None:
    connection = writing(store)
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + 20}")
    large = message(metadata={"large": "x" * 1_000_000})
    small = [store.write(keep_thread(f"thread_{number}")) for number in range(1, together)]
    *others, result = await asyncio.gather(
        *small, store.write(lambda tx: tx.messages.insert(MINE, [large])), return_exceptions=True
    )
    assert isinstance(result, RunsteadError)
    assert "full" in str(result)
    for number, other in enumerate(others, 1):
        # SQLite may undo the others too; then they were told.
        kept = await store.read(find_thread(f"thread_{number}"))
        assert (kept is not None) == (other is None)
    connection.execute("PRAGMA max_page_count = 1000000")
    await store.write(keep_thread("thread_after"))
    await store.write(lambda tx: tx.messages.insert(MINE, [large]))


@pytest.mark.parametrize("together", [1, 5])
async def test_every_caller_of_a_batch_that_sqlite_rolls_back_gets_the_error(store: SqliteStore, together: int) -> None:
    async def work(tx: Tx) -> None:
        await tx.threads.insert(MINE, thread("thread_undone"))
        writing(store).execute("ROLLBACK")  # as SQLite does by itself when it runs out of memory or disk
        raise sqlite3.OperationalError("disk I/O error")

    writes = [store.write(keep_thread(f"thread_{number}")) for number in range(1, together)]
    after = store.write(keep_thread("thread_after"))
    results = await asyncio.gather(*writes, store.write(work), after, return_exceptions=True)
    for result in results[:together]:
        assert "disk I/O error" in str(result)
    assert results[-1] is None
    assert await store.read(find_thread("thread_1")) is None
    assert await store.read(find_thread("thread_undone")) is None
    assert await store.read(find_thread("thread_after"))


async def test_another_program_that_writes_is_waited_for_without_blocking(store: SqliteStore, path: Path) -> None:
    with held_by_another_program(path) as other:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(store.write(keep_thread()))
            for _ in range(20):  # the loop goes on, and reads are answered
                await asyncio.sleep(0)
                assert await store.read(find_thread()) is None
            assert not task.done()
            other.execute("COMMIT")
    assert await store.read(find_thread())


async def test_another_program_that_never_ends_is_an_error(path: Path) -> None:
    store = SqliteStore(path, patience=0.05)
    await store.start()
    with held_by_another_program(path):
        results = await asyncio.gather(
            *(store.write(keep_thread(f"thread_{number}")) for number in range(3)), return_exceptions=True
        )
        for result in results:
            assert isinstance(result, RunsteadError)
            assert "locked" in str(result)
            assert str(path) in str(result)
    await store.write(keep_thread())
    await store.stop()
