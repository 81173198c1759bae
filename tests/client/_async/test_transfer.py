"""Uploads and downloads against a real server."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runstead.client._async.calls import AsyncCalls
from runstead.client._async.download import AsyncDownload
from runstead.client._async.http import AsyncHttpTransport
from runstead.client._async.pool import AsyncPool
from runstead.client._async.upload import AsyncUpload
from runstead.client.http.connections import async_connections
from runstead.client.http.incoming import content_head
from runstead.client.http.target import Target
from runstead.client.sources import NamedSource
from runstead.wire.error import BadRequest, NotFound, TooLarge, Unreachable
from tests.client._async.support import AsyncPauses
from tests.client.wire_server import Disconnect, NoResponse, Raw, Response, WireServer
from tests.support.files import CREATE_FILE, FILE_CONTENT, FileRequest, StoredFile

CONTENT = b"some bytes, \r\n--and more. " * 20_000
STORED = {
    "id": "file-1", "purpose": "tests", "tags": [], "keep_days": 1, "file_name": "a", "content_type": None, "size": 1,
    "digest": "",
}  # fmt: skip


class AsyncFiles(AsyncCalls):
    """The calls of the test interface."""

    async def create_file(self, upload: AsyncUpload[FileRequest]) -> StoredFile:
        return await self._transport.upload(CREATE_FILE, {}, upload)

    async def file_content(self, file_id: str) -> AsyncDownload:
        return await self._transport.download(FILE_CONTENT, {"file_id": file_id})


def files_of(url: str) -> AsyncFiles:
    target = Target(url)
    pauses = AsyncPauses()
    transport = AsyncHttpTransport(target, AsyncPool(async_connections(target)), sleep=pauses)
    return AsyncFiles(transport, sleep=pauses)


@pytest.fixture
def files(files_url: str) -> AsyncFiles:
    return files_of(files_url)


def form(source: Any, **fields: Any) -> AsyncUpload[FileRequest]:
    return AsyncUpload(FileRequest(purpose="tests", **fields), {"file": source})


class Pipe(io.RawIOBase):
    """An open file that can be read once, and has no name."""

    def __init__(self) -> None:
        self._rest = io.BytesIO(CONTENT)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._rest.readinto(buffer)


def pieces() -> Iterator[bytes]:
    for start in range(0, len(CONTENT), 1000):
        yield CONTENT[start : start + 1000]


@pytest.mark.parametrize(
    "source", [lambda: CONTENT, lambda: io.BytesIO(CONTENT), Pipe, pieces, lambda: list(pieces())],
    ids=["bytes", "file", "pipe", "iterator", "list"],
)  # fmt: skip
async def test_an_upload_is_sent_from_any_source(files: AsyncFiles, source: Callable[[], Any]) -> None:
    stored = await files.create_file(form(source(), tags=["a", "ü"], keep_days=3))
    assert (stored.size, stored.file_name, stored.content_type) == (len(CONTENT), "file", "application/octet-stream")
    assert (stored.purpose, stored.tags, stored.keep_days) == ("tests", ["a", "ü"], 3)
    assert await (await files.file_content(stored.id)).read() == CONTENT
    await files._transport.aclose()


async def test_the_file_at_a_path_keeps_its_name_and_type(files: AsyncFiles, tmp_path: Path) -> None:
    path = tmp_path / 'a "b" ü.txt'
    path.write_bytes(CONTENT)
    stored = await files.create_file(form(path))
    assert (stored.size, stored.file_name, stored.content_type) == (len(CONTENT), 'a "b" ü.txt', "text/plain")
    with path.open("rb") as opened:
        opened.seek(100)
        stored = await files.create_file(form(NamedSource(opened, "c.bin", "image/png")))
    assert (stored.size, stored.file_name, stored.content_type) == (len(CONTENT) - 100, "c.bin", "image/png")
    await files._transport.aclose()


@pytest.mark.parametrize("source", [3, "text"])
async def test_a_source_without_bytes_cannot_be_uploaded(source: Any) -> None:
    with pytest.raises(TypeError, match="Cannot upload"):
        form(source)


async def test_a_path_without_a_file_is_an_error_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        form(tmp_path / "nothing")


async def test_a_download_says_what_it_is_and_can_be_saved(files: AsyncFiles, tmp_path: Path) -> None:
    await files.create_file(form(NamedSource(CONTENT, "ü.png")))
    download = await files.file_content("file-1")
    assert (download.file_name, download.content_type, download.size) == ("ü.png", "image/png", len(CONTENT))
    await download.save(tmp_path / "saved")
    assert (tmp_path / "saved").read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [tmp_path / "saved"]
    await files._transport.aclose()


async def test_a_download_that_is_left_early_frees_its_connection(files: AsyncFiles) -> None:
    await files.create_file(form(CONTENT))
    async with await files.file_content("file-1") as download:
        assert CONTENT.startswith(await anext(download))
    async with await files.file_content("file-1"):
        pass
    assert not files._transport._pool._busy  # type: ignore[attr-defined]
    await files._transport.aclose()


async def test_refusals_are_errors(files: AsyncFiles) -> None:
    with pytest.raises(NotFound, match="file-9"):
        await files.file_content("file-9")
    with pytest.raises(BadRequest, match="Missing required parameter: 'file'"):
        await files.create_file(AsyncUpload(FileRequest(purpose="tests"), {}))
    with pytest.raises(BadRequest, match="Unknown parameter: 'other'"):
        await files.create_file(AsyncUpload(FileRequest(purpose="tests"), {"other": b""}))
    await files._transport.aclose()


async def test_an_upload_with_a_key_is_stored_once(files: AsyncFiles) -> None:
    first, second = [await files.once("order 17").create_file(form(CONTENT)) for _ in range(2)]
    assert first == second
    with pytest.raises(BadRequest, match="use a new key"):
        await files.once("order 17").create_file(form(CONTENT + b"more"))
    await files._transport.aclose()


@pytest.mark.parametrize("source", [lambda: CONTENT, lambda: io.BytesIO(CONTENT)])
async def test_an_upload_that_can_be_read_again_is_retried(server: WireServer, source: Callable[[], Any]) -> None:
    kept = {"idempotency-keys": "86400"}
    server.on("POST", "/files", Response.error(503, retry_after="0"), Response(b"", 500, kept), Response.of(STORED))
    files = files_of(server.url)
    assert (await files.create_file(form(source()))).id == "file-1"
    bodies = {seen.body for seen in server.seen}
    assert len(server.seen) == 3
    assert len(bodies) == 1
    assert CONTENT in bodies.pop()
    await files._transport.aclose()


async def test_an_upload_that_can_be_read_once_is_not_retried(server: WireServer) -> None:
    server.on("POST", "/files", Disconnect())
    files = files_of(server.url)
    with pytest.raises(Unreachable):
        await files.create_file(form(pieces()))
    assert len(server.seen) == 1
    await files._transport.aclose()


async def test_a_download_that_breaks_off_is_no_whole_file(server: WireServer, tmp_path: Path) -> None:
    server.on("GET", "/files/file-1/content", Response(b"some", headers={"content-length": "10"}, last=True))
    files = files_of(server.url)
    with pytest.raises(Unreachable):
        await (await files.file_content("file-1")).save(tmp_path / "saved")
    assert not (tmp_path / "saved").exists()
    await files._transport.aclose()


async def test_an_upload_over_the_limit_is_too_large(files: AsyncFiles) -> None:
    with pytest.raises((TooLarge, Unreachable)):
        await files.create_file(form(bytes(9 * 1024 * 1024)))
    await files._transport.aclose()


@pytest.mark.parametrize("now", [b"", CONTENT + b"more"], ids=["shorter", "longer"])
async def test_a_file_that_changes_while_it_is_sent_is_refused(files: AsyncFiles, tmp_path: Path, now: bytes) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(CONTENT)
    upload = form(path)
    path.write_bytes(now)
    with pytest.raises(BadRequest, match=r"'a.txt' changed while it was sent"):
        await files.create_file(upload)


async def test_an_upload_may_take_longer_than_the_timeout_but_not_its_answer(server: WireServer) -> None:
    server.on("POST", "/files", NoResponse())
    target = Target(server.url)
    transport = AsyncHttpTransport(target, AsyncPool(async_connections(target)), timeout=0.3)

    async def slow() -> AsyncIterator[bytes]:
        for _ in range(5):
            await asyncio.sleep(0.1)
            yield b"x"

    with pytest.raises(Unreachable, match="in time"):
        await transport.upload(CREATE_FILE, {}, form(slow()))
    await transport.aclose()


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('filename="../../etc/passwd"', "passwd"),
        ('filename=".."', None),
        ("filename*=UTF-8''a%00b", "a\\x00b"),
        ('filename="a\x1b[2J"', "a\\x1b[2J"),
        ('filename="' + "x" * 5000 + '"', "x" * 200 + "…"),
    ],
)
def test_the_name_of_a_download_is_harmless(disposition: str, name: str | None) -> None:
    assert content_head([(b"content-disposition", disposition.encode("latin-1"))]).file_name == name


CONTENT_PATH = "/files/file-1/content"


def transport_of(server: WireServer, **options: Any) -> AsyncHttpTransport:
    target = Target(server.url)
    return AsyncHttpTransport(target, AsyncPool(async_connections(target)), **options)


async def test_a_download_may_be_larger_than_a_response(server: WireServer) -> None:
    server.on("GET", CONTENT_PATH, Raw.body(b"", b"x" * 65536))
    transport = transport_of(server, max_response=100_000)
    received = 0
    async with await transport.download(FILE_CONTENT, {"file_id": "file-1"}) as download:
        async for chunk in download:
            received += len(chunk)
            if received > 1_000_000:
                break
    assert received > 1_000_000
    await transport.aclose()


async def test_a_download_that_stands_still_times_out(server: WireServer) -> None:
    server.on("GET", CONTENT_PATH, Raw.body(b"some", b"more", 60.0))
    transport = transport_of(server, timeout=0.2)
    download = await transport.download(FILE_CONTENT, {"file_id": "file-1"})
    assert await anext(download) == b"some"
    with pytest.raises(Unreachable, match="in time"):
        await download.read()
    await transport.aclose()
