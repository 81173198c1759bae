"""Every place for blobs writes whole blobs or none, never changes one, and leaves nothing behind."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from runstead.blobs.local import LocalBlobs
from runstead.blobs.objects import ObjectBlobs
from runstead.blobs.port import BlobExists, BlobMissing, Blobs, BlobTooLarge
from tests.support.seaweed import ENVIRONMENT, s3_url

LIMIT = 64 * 1024 * 1024
BIG = bytes(range(256)) * 4096 * 13  # thirteen megabytes: several chunks, and several parts of an object


def objects(folder: Path) -> Blobs:
    return ObjectBlobs(s3_url(folder.name))


@pytest.fixture(params=[LocalBlobs, objects], ids=["local", "objects"])
async def blobs(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Blobs]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    blobs: Blobs = request.param(tmp_path)
    await blobs.start()
    yield blobs
    await blobs.stop()


async def pieces(content: bytes, size: int = 300_000, error: Exception | None = None) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]
    if error is not None:
        raise error


async def content(blobs: Blobs, name: str, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([chunk async for chunk in blobs.read(name, start, end)])


async def names(blobs: Blobs, prefix: str = "") -> list[str]:
    return sorted([blob.name async for blob in blobs.names(prefix)])


@pytest.mark.parametrize("data", [b"", b"x", BIG], ids=["empty", "small", "big"])
async def test_a_blob_is_read_as_it_was_written(blobs: Blobs, data: bytes) -> None:
    written = await blobs.write("blob-1", pieces(data), limit=len(data))
    assert written == (len(data), hashlib.sha256(data).hexdigest())
    assert await blobs.size("blob-1") == len(data)
    assert await content(blobs, "blob-1") == data
    async with blobs.open_local("blob-1") as path:
        assert path.read_bytes() == data
    await blobs.delete("blob-1")
    await blobs.delete("blob-1")
    assert await names(blobs) == []


@pytest.mark.parametrize(("start", "end"), [(0, 1), (5, 5), (1_000_000, 9_000_001), (12_000_000, None), (3, 10**12)])
async def test_a_range_of_a_blob_is_read(blobs: Blobs, start: int, end: int | None) -> None:
    await blobs.write("blob-1", pieces(BIG), limit=LIMIT)
    assert await content(blobs, "blob-1", start, end) == BIG[start:end]


async def test_a_missing_blob_is_an_error(blobs: Blobs) -> None:
    for read in (blobs.size("blob-1"), content(blobs, "blob-1"), content(blobs, "blob-1", 3, 3)):
        with pytest.raises(BlobMissing):
            await read
    with pytest.raises(BlobMissing):
        async with blobs.open_local("blob-1"):
            pass
    assert await names(blobs) == []


@pytest.mark.parametrize("data", [b"abc", BIG], ids=["small", "big"])
async def test_a_write_that_breaks_off_leaves_nothing(blobs: Blobs, data: bytes) -> None:
    with pytest.raises(OSError, match="gone"):
        await blobs.write("blob-1", pieces(data, error=OSError("gone")), limit=LIMIT)
    with pytest.raises(BlobTooLarge):
        await blobs.write("blob-1", pieces(data), limit=len(data) - 1)
    assert await names(blobs) == []
    await blobs.write("blob-1", pieces(data), limit=LIMIT)
    assert await content(blobs, "blob-1") == data


async def test_a_cancelled_write_leaves_nothing(blobs: Blobs) -> None:
    reached = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield BIG
        reached.set()
        await asyncio.Event().wait()

    async with asyncio.TaskGroup() as group:
        writing = group.create_task(blobs.write("blob-1", endless(), limit=LIMIT))
        await reached.wait()
        writing.cancel()
    assert await names(blobs) == []


async def test_a_blob_is_never_changed(blobs: Blobs) -> None:
    await blobs.write("blob-1", pieces(b"first"), limit=LIMIT)
    with pytest.raises(BlobExists):
        await blobs.write("blob-1", pieces(b"second"), limit=LIMIT)
    assert await content(blobs, "blob-1") == b"first"


async def test_one_of_several_writers_wins(blobs: Blobs) -> None:
    writes = [blobs.write("blob-1", pieces(b"%d" % n), limit=LIMIT) for n in range(8)]
    results = await asyncio.gather(*writes, return_exceptions=True)
    [winner] = [n for n, result in enumerate(results) if not isinstance(result, BaseException)]
    assert all(isinstance(result, BlobExists) for n, result in enumerate(results) if n != winner)
    assert await content(blobs, "blob-1") == b"%d" % winner


async def test_names_are_listed_by_prefix(blobs: Blobs) -> None:
    for name in ("file-a", "file-b", "text-a"):
        await blobs.write(name, pieces(b"x"), limit=1)
    assert await names(blobs) == ["file-a", "file-b", "text-a"]
    assert await names(blobs, "file-") == ["file-a", "file-b"]
    assert await names(blobs, "none") == []


@pytest.mark.parametrize("name", ["", "../up", "a/b", "a.b", ".", "a\0", "ä", "-x", "x" * 129, "a\n"])
async def test_a_name_that_could_be_a_path_is_refused(blobs: Blobs, name: str) -> None:
    for use in (blobs.write(name, pieces(b"x"), limit=1), blobs.size(name), blobs.delete(name), content(blobs, name)):
        with pytest.raises(ValueError, match="no blob can have the name"):
            await use
    assert await names(blobs) == []
