"""Uploads and downloads without a server: the method reads the caller's own source."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from runstead.client._async.upload import AsyncUpload
from runstead.client._sync.upload import Upload
from runstead.domain.access import Credentials
from runstead.embedded.thread import EngineThread
from runstead.embedded.transport_async import AsyncEngineTransport
from runstead.embedded.transport_sync import EngineTransport
from runstead.wire.error import BadRequest, Forbidden, NotFound
from tests.support.files import CREATE_FILE, FILE_CONTENT, FILE_COUNT, FILES, FileRequest, FilesApplication

CONTENT = b"some bytes, " * 50_000
FIELDS = FileRequest(purpose="tests", tags=["a"])


@pytest.fixture
async def application() -> AsyncIterator[FilesApplication]:
    async with FilesApplication.running() as application:
        yield application


@pytest.fixture
def transport() -> Iterator[EngineTransport]:
    running: Any = FilesApplication.running()
    engine = EngineThread(running)
    transport = EngineTransport(engine, engine.wait(engine.application.enter(Credentials())), FILES)
    yield transport
    transport.close()


def pieces() -> Iterator[bytes]:
    for start in range(0, len(CONTENT), 100_000):
        yield CONTENT[start : start + 100_000]


async def async_pieces() -> AsyncIterator[bytes]:
    for piece in pieces():
        yield piece


async def test_an_async_program_uploads_and_downloads(application: FilesApplication, tmp_path: Path) -> None:
    transport = AsyncEngineTransport(application.caller, FILES)
    (tmp_path / "a.txt").write_bytes(CONTENT)
    for source in (CONTENT, tmp_path / "a.txt", pieces(), async_pieces()):
        stored = await transport.upload(CREATE_FILE, {}, AsyncUpload(FIELDS, {"file": source}))
        assert (stored.size, stored.tags) == (len(CONTENT), ["a"])
    download = await transport.download(FILE_CONTENT, {"file_id": "file-2"})
    assert (download.file_name, download.content_type, download.size) == ("a.txt", "text/plain", len(CONTENT))
    await download.save(tmp_path / "b.txt")
    assert (tmp_path / "b.txt").read_bytes() == CONTENT


def test_a_sync_program_uploads_and_downloads(transport: EngineTransport, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(CONTENT)
    for source in (CONTENT, tmp_path / "a.txt", pieces()):
        stored = transport.upload(CREATE_FILE, {}, Upload(FIELDS, {"file": source}))
        assert (stored.size, stored.tags) == (len(CONTENT), ["a"])
    download = transport.download(FILE_CONTENT, {"file_id": "file-2"})
    assert (download.file_name, download.content_type, download.size) == ("a.txt", "text/plain", len(CONTENT))
    assert download.read() == CONTENT
    with transport.download(FILE_CONTENT, {"file_id": "file-2"}) as download:
        assert CONTENT.startswith(next(download))


async def test_a_form_is_checked_as_a_server_would(application: FilesApplication) -> None:
    transport = AsyncEngineTransport(application.caller, FILES)
    with pytest.raises(BadRequest, match="Missing required parameter: 'file'"):
        await transport.upload(CREATE_FILE, {}, AsyncUpload(FIELDS, {}))
    with pytest.raises(BadRequest, match="Unknown parameter: 'other'"):
        await transport.upload(CREATE_FILE, {}, AsyncUpload(FIELDS, {"file": b"", "other": b""}))
    wrong = FileRequest(purpose="tests", keep_days="x")  # type: ignore[arg-type]
    with pytest.raises(BadRequest, match="keep_days"):
        await transport.upload(CREATE_FILE, {}, AsyncUpload(wrong, {"file": b""}))
    with pytest.raises(NotFound, match="file-9"):
        await transport.download(FILE_CONTENT, {"file_id": "file-9"})
    assert application.files.contents == {}


async def test_an_upload_with_a_key_is_stored_once(application: FilesApplication) -> None:
    transport = AsyncEngineTransport(application.caller, FILES).once("order 17")
    first, second = [await transport.upload(CREATE_FILE, {}, AsyncUpload(FIELDS, {"file": CONTENT})) for _ in range(2)]
    assert first == second
    assert len(application.files.contents) == 1
    with pytest.raises(BadRequest, match="use a new key"):
        await transport.upload(CREATE_FILE, {}, AsyncUpload(FIELDS, {"file": b"other"}))


async def test_a_caller_without_the_scope_is_refused(application: FilesApplication) -> None:
    transport = AsyncEngineTransport(application.caller, FILES)
    assert (await transport.call(FILE_COUNT, {})).count == 0
    application.scopes = frozenset({"project"})
    with pytest.raises(Forbidden, match="Missing scopes: admin"):
        await transport.call(FILE_COUNT, {})


def test_a_failing_source_ends_the_call_with_its_error(transport: EngineTransport) -> None:
    def broken() -> Iterator[bytes]:
        yield b"some"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        transport.upload(CREATE_FILE, {}, Upload(FIELDS, {"file": broken()}))
