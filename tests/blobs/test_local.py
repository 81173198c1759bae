"""Blobs in a folder: its permissions, and the drafts of killed processes."""

import asyncio
import stat
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from runstead.blobs.local import LocalBlobs
from runstead.wire.error import RunsteadError, Unreachable
from tests.support.waiting import until, within

WRITER = """
import asyncio, sys
from runstead.blobs.local import LocalBlobs

async def endless():
    yield bytes(3_000_000)
    print("written", flush=True)
    await asyncio.Event().wait()

async def main():
    blobs = LocalBlobs(sys.argv[1])
    await blobs.start()
    await blobs.write("blob-1", endless(), limit=2**40)

asyncio.run(main())
"""


async def one(content: bytes = b"x") -> AsyncIterator[bytes]:
    yield content


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path / "blobs")
    await blobs.write("blob-1", one(), limit=1)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "blobs").rglob("*")}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}
    assert stat.S_IMODE((tmp_path / "blobs").stat().st_mode) == 0o700
    await blobs.stop()


async def test_drafts_of_a_killed_process_are_no_blobs_and_are_removed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    async with within():
        assert await process.stdout.readline() == b"written\n"
        process.kill()
        await process.wait()
    blobs = LocalBlobs(tmp_path)
    [draft] = files(tmp_path)
    assert [blob async for blob in blobs.names()] == []
    written_at = draft.stat().st_mtime
    await blobs.discard_unfinished(written_at)
    assert files(tmp_path) == [draft]
    await blobs.discard_unfinished(written_at + 1)
    assert files(tmp_path) == []
    await blobs.write("blob-1", one(), limit=1)
    await blobs.stop()


async def test_a_disk_without_hard_links_takes_blobs_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    blobs = LocalBlobs(tmp_path)
    assert (await blobs.write("blob-1", one(b"abc"), limit=3)).size == 3
    assert [blob.name async for blob in blobs.names()] == ["blob-1"]
    assert len(files(tmp_path)) == 1
    await blobs.stop()


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    place = tmp_path / "a file"
    place.write_text("x")
    with pytest.raises(RunsteadError, match="a file"):
        await LocalBlobs(place).start()
    with pytest.raises(Unreachable, match="a file: File exists"):
        await LocalBlobs(place).write("blob-1", one(), limit=1)


async def test_temporary_blobs_are_gone_when_it_stops() -> None:
    blobs = LocalBlobs(None)
    await blobs.start()
    await blobs.write("blob-1", one(), limit=1)
    async with blobs.open_local("blob-1") as path:
        folder = path.parents[1]
    await blobs.stop()
    assert not folder.exists()


async def test_a_writer_that_is_cancelled_while_it_writes_leaves_nothing(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path)
    async with within():
        for _ in range(20):
            task = asyncio.get_running_loop().create_task(blobs.write("blob-1", one(bytes(5_000_000)), limit=2**30))
            await until(partial(_drafts_or_done, tmp_path, task))
            task.cancel()
            await asyncio.wait([task])
            assert files(tmp_path / "drafts") == []
            await blobs.delete("blob-1")
    await blobs.stop()


async def _drafts_or_done(folder: Path, task: "asyncio.Task[object]") -> bool:
    return task.done() or bool(files(folder / "drafts"))
