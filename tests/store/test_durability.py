"""Acknowledged writes survive `kill -9` at any moment."""

import asyncio
import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from runstead.store.sqlite import SqliteStore
from runstead.wire.error import RunsteadError
from tests.store.things import find_thread

ROOT = Path(__file__).parents[2]


async def start(path: Path, turn: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.store.acknowledge", str(path), str(turn)),
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )


async def lines(process: asyncio.subprocess.Process, number: int) -> list[str]:
    """The next lines that the program prints, up to so many."""
    assert process.stdout is not None
    found: list[str] = []
    async with asyncio.timeout(30):
        while len(found) < number and (line := await process.stdout.readline()):
            found.append(line.decode().strip())
    return found


async def test_every_acknowledged_write_survives_the_process(path: Path) -> None:
    acknowledged: list[str] = []
    for turn in range(6):
        process = await start(path, turn)
        acknowledged += await lines(process, random.randint(1, 400))
        process.send_signal(signal.SIGKILL)
        acknowledged += await lines(process, 1_000_000)
        assert await process.wait() == -signal.SIGKILL

        store = SqliteStore(path)
        await store.start()
        for id in acknowledged:
            assert await store.read(find_thread(id)), f"{id} was acknowledged and is gone"
        await store.stop()
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert len(acknowledged) >= 6


async def test_a_live_process_keeps_others_out_and_a_dead_one_does_not(path: Path) -> None:
    process = await start(path, 0)
    try:
        [id] = await lines(process, 1)
        with pytest.raises(RunsteadError, match=f"in use by process {process.pid}"):
            await SqliteStore(path).start()
    finally:
        process.kill()
        await process.communicate()
    store = SqliteStore(path)
    await store.start()
    assert await store.read(find_thread(id))
    await store.stop()


async def test_every_commit_waits_for_the_disk(store: SqliteStore) -> None:
    assert store._writer is not None
    settings = {"journal_mode": "wal", "synchronous": 2, "fullfsync": 1}
    for pragma, value in settings.items():
        assert store._writer._connection.execute(f"PRAGMA {pragma}").fetchone() == (value,)
