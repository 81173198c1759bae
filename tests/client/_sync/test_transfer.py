# Generated from tests/client/_async/test_transfer.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""Uploads and downloads against a real server."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runstead.client._sync.calls import Calls
from runstead.client._sync.download import Download
from runstead.client._sync.http import HttpTransport
from runstead.client._sync.pool import Pool
from runstead.client._sync.upload import Upload
from runstead.client.connections import sync_connections
from runstead.client.sources import NamedSource
from runstead.client.target import Target
from runstead.wire.error import BadRequest, NotFound, TooLarge, Unreachable
from tests.client._sync.support import Pauses
from tests.client.wire_server import Answer, Cut, WireServer
from tests.support.files import CREATE_FILE, FILE_CONTENT, FileRequest, StoredFile

CONTENT = b"some bytes, \r\n--and more. " * 20_000
STORED = {
    "id": "file-1", "purpose": "tests", "tags": [], "keep_days": 1, "file_name": "a", "content_type": None, "size": 1,
    "digest": "",
}  # fmt: skip


class Files(Calls):
    """The calls of the test interface."""

    def create_file(self, upload: Upload[FileRequest]) -> StoredFile:
        return self._transport.upload(CREATE_FILE, {}, upload)

    def file_content(self, file_id: str) -> Download:
        return self._transport.download(FILE_CONTENT, {"file_id": file_id})


def files_of(url: str) -> Files:
    target = Target(url)
    pauses = Pauses()
    transport = HttpTransport(target, Pool(sync_connections(target)), sleep=pauses)
    return Files(transport, sleep=pauses)


@pytest.fixture
def files(files_url: str) -> Files:
    return files_of(files_url)


def form(source: Any, **fields: Any) -> Upload[FileRequest]:
    return Upload(FileRequest(purpose="tests", **fields), {"file": source})


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
def test_an_upload_is_sent_from_any_source(files: Files, source: Callable[[], Any]) -> None:
    stored = files.create_file(form(source(), tags=["a", "ü"], keep_days=3))
    assert (stored.size, stored.file_name, stored.content_type) == (len(CONTENT), "file", "application/octet-stream")
    assert (stored.purpose, stored.tags, stored.keep_days) == ("tests", ["a", "ü"], 3)
    assert (files.file_content(stored.id)).read() == CONTENT
    files._transport.close()


def test_the_file_at_a_path_keeps_its_name_and_type(files: Files, tmp_path: Path) -> None:
    path = tmp_path / 'a "b" ü.txt'
    path.write_bytes(CONTENT)
    stored = files.create_file(form(path))
    assert (stored.size, stored.file_name, stored.content_type) == (len(CONTENT), "a %22b%22 ü.txt", "text/plain")
    with path.open("rb") as opened:
        opened.seek(100)
        stored = files.create_file(form(NamedSource(opened, "c.bin", "image/png")))
    assert (stored.size, stored.file_name, stored.content_type) == (len(CONTENT) - 100, "c.bin", "image/png")
    files._transport.close()


@pytest.mark.parametrize("source", [3, "text"])
def test_what_has_no_bytes_cannot_be_uploaded(source: Any) -> None:
    with pytest.raises(TypeError, match="Cannot upload"):
        form(source)


def test_a_path_without_a_file_is_an_error_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        form(tmp_path / "nothing")


def test_a_download_says_what_it_is_and_can_be_saved(files: Files, tmp_path: Path) -> None:
    files.create_file(form(NamedSource(CONTENT, "ü.png")))
    download = files.file_content("file-1")
    assert (download.file_name, download.content_type, download.size) == ("ü.png", "image/png", len(CONTENT))
    download.save(tmp_path / "saved")
    assert (tmp_path / "saved").read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [tmp_path / "saved"]
    files._transport.close()


def test_a_download_that_is_left_early_frees_its_connection(files: Files) -> None:
    files.create_file(form(CONTENT))
    with files.file_content("file-1") as download:
        assert CONTENT.startswith(next(download))
    with files.file_content("file-1"):
        pass
    assert not files._transport._pool._busy  # type: ignore[attr-defined]
    files._transport.close()


def test_refusals_are_errors(files: Files) -> None:
    with pytest.raises(NotFound, match="file-9"):
        files.file_content("file-9")
    with pytest.raises(BadRequest, match="Missing required parameter: 'file'"):
        files.create_file(Upload(FileRequest(purpose="tests"), {}))
    with pytest.raises(BadRequest, match="Unknown parameter: 'other'"):
        files.create_file(Upload(FileRequest(purpose="tests"), {"other": b""}))
    files._transport.close()


def test_an_upload_with_a_key_is_stored_once(files: Files) -> None:
    first, second = [files.once("order 17").create_file(form(CONTENT)) for _ in range(2)]
    assert first == second
    with pytest.raises(BadRequest, match="use a new key"):
        files.once("order 17").create_file(form(CONTENT + b"more"))
    files._transport.close()


@pytest.mark.parametrize("source", [lambda: CONTENT, lambda: io.BytesIO(CONTENT)])
def test_an_upload_that_can_be_read_again_is_retried(server: WireServer, source: Callable[[], Any]) -> None:
    kept = {"idempotency-keys": "86400"}
    server.on("POST", "/files", Answer.error(503, retry_after="0"), Answer(b"", 500, kept), Answer.of(STORED))
    files = files_of(server.url)
    assert (files.create_file(form(source()))).id == "file-1"
    bodies = {seen.body for seen in server.seen}
    assert len(server.seen) == 3
    assert len(bodies) == 1
    assert CONTENT in bodies.pop()
    files._transport.close()


def test_an_upload_that_can_be_read_once_is_not_retried(server: WireServer) -> None:
    server.on("POST", "/files", Cut())
    files = files_of(server.url)
    with pytest.raises(Unreachable):
        files.create_file(form(pieces()))
    assert len(server.seen) == 1
    files._transport.close()


def test_a_download_that_breaks_off_is_no_whole_file(server: WireServer, tmp_path: Path) -> None:
    server.on("GET", "/files/file-1/content", Answer(b"some", headers={"content-length": "10"}, last=True))
    files = files_of(server.url)
    with pytest.raises(Unreachable):
        (files.file_content("file-1")).save(tmp_path / "saved")
    assert not (tmp_path / "saved").exists()
    files._transport.close()


def test_an_upload_over_the_limit_is_too_large(files: Files) -> None:
    with pytest.raises((TooLarge, Unreachable)):
        files.create_file(form(bytes(9 * 1024 * 1024)))
    files._transport.close()
