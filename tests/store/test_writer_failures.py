"""A failure outside of a transaction fails its batch: every caller gets the error, and the writer goes on."""

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from runstead.store.sqlite import SqliteStore
from runstead.wire.error import RunsteadError, Unreachable
from tests.store.things import MINE, find_thread, keep_thread, message
from tests.support.waiting import within

STATEMENTS = {"BEGIN": (22, "BEGIN"), "SAVEPOINT": (32, "BEGIN"), "RELEASE": (32, "RELEASE"), "COMMIT": (22, "COMMIT")}
"""Statements, as SQLite's authorizer names them."""


def writing(store: SqliteStore) -> sqlite3.Connection:
    assert store._writer is not None
    return store._writer._connection


def refusing(*refused: tuple[int, str]) -> Callable[..., int]:
    return lambda action, argument, *_: sqlite3.SQLITE_DENY if (action, argument) in refused else sqlite3.SQLITE_OK


@pytest.mark.parametrize("statement", STATEMENTS)
async def test_a_statement_of_the_writer_that_fails_answers_every_caller(store: SqliteStore, statement: str) -> None:
    writing(store).set_authorizer(refusing(STATEMENTS[statement]))
    async with within():
        results = await asyncio.gather(
            *(store.write(keep_thread(f"thread_{number}")) for number in range(3)), return_exceptions=True
        )
    *_, last = results
    assert [type(result) for result in results[:-1]] == [RunsteadError] * 2
    writing(store).set_authorizer(None)
    kept = await store.read(find_thread("thread_2"))
    assert (kept is None) == isinstance(last, RunsteadError), "the last one may be alone, and need no savepoint"
    async with within():
        await store.write(keep_thread("thread_after"))
    assert await store.read(find_thread("thread_after"))
    assert await store.read(find_thread("thread_1")) is None


async def test_a_transaction_that_cannot_be_rolled_back_is_rolled_back_by_the_next_batch(store: SqliteStore) -> None:
    writing(store).set_authorizer(refusing(STATEMENTS["COMMIT"], (22, "ROLLBACK")))
    async with within():
        for _ in range(3):
            with pytest.raises(RunsteadError, match="not authorized"):
                await store.write(keep_thread())
    writing(store).set_authorizer(None)
    async with within():
        await store.write(keep_thread("thread_after"))
    assert await store.read(find_thread()) is None
    assert await store.read(find_thread("thread_after"))


async def test_a_store_without_a_thread_for_its_commits_does_not_start(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    store = SqliteStore(path)
    with monkeypatch.context() as limits:
        limits.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RunsteadError, match="cannot open .*can't start new thread"):
            await store.start()
    await store.start()
    await store.write(keep_thread())
    await store.stop()


async def test_a_check_writes_and_reads(store: SqliteStore, path: Path) -> None:
    before = store.commits
    await store.check()
    assert store.commits == before + 1
    assert await store.read(find_thread()) is None
    connection = writing(store)
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    log = path.with_name(f"{path.name}-wal").stat().st_mtime_ns
    await store.check()
    assert path.with_name(f"{path.name}-wal").stat().st_mtime_ns > log, "it reaches the disk"
    assert connection.execute("PRAGMA page_count").fetchone() == (pages,)


async def test_a_check_of_a_locked_file_fails(path: Path) -> None:
    store = SqliteStore(path, patience=0.05)
    await store.start()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unreachable, match="locked"):
            await store.check()
    await store.check()
    await store.stop()


async def test_an_outage_has_one_line_when_it_begins_and_one_when_it_ends(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    store = SqliteStore(path)
    await store.start()
    connection = writing(store)
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    large = message(metadata={"large": "x" * 1_000_000})
    for _ in range(5):
        with pytest.raises(Unreachable, match="full"):
            await store.write(lambda tx: tx.messages.insert(MINE, [large]))
        await store.write(lambda tx: tx.workers.deregister("nobody"))  # a commit of nothing proves nothing
        await store.read(find_thread())
    connection.execute("PRAGMA max_page_count = 1000000")
    await store.write(lambda tx: tx.messages.insert(MINE, [large]))
    await store.stop()
    began, ended = [record.message for record in caplog.records if record.name == "runstead.store"]
    assert began.startswith(f"cannot write to the database, trying again: {path}: ")
    assert ended.startswith("the database can be written again after ")


async def test_stopping_ends_while_another_program_holds_the_file(path: Path) -> None:
    store = SqliteStore(path, patience=3600)
    await store.start()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with within(), asyncio.TaskGroup() as group:
            writing = group.create_task(_error(store))
            await asyncio.sleep(0)
            group.create_task(store.stop())
        assert "locked" in str(writing.result())


async def _error(store: SqliteStore) -> BaseException:
    [error] = await asyncio.gather(store.write(keep_thread()), return_exceptions=True)
    assert isinstance(error, BaseException)
    return error
