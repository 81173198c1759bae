"""Content of files, whole and in ranges."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest
from msgspec.structs import replace

from runstead.api.handlers.bytes import disposition
from tests.api.served import served
from tests.support.files import FILES, FilesApplication
from tests.support.waiting import within

CONTENT = bytes(range(256)) * 1000
SIZE = len(CONTENT)


@pytest.fixture
async def application() -> AsyncIterator[FilesApplication]:
    async with FilesApplication.running() as application:
        yield application


@pytest.fixture
async def client(application: FilesApplication) -> AsyncIterator[httpx2.AsyncClient]:
    async with served(application, FILES) as client:
        files = {"file": ("a b.bin", CONTENT, "image/png")}
        assert (await client.post("/files", data={"purpose": "tests"}, files=files)).status_code == 200
        yield client


async def test_a_download_has_its_name_type_and_length(client: httpx2.AsyncClient) -> None:
    response = await client.get("/files/file-1/content")
    assert response.status_code == 200
    assert response.content == CONTENT
    said = {name: response.headers[name] for name in ("content-type", "content-length", "content-disposition")}
    assert said == {
        "content-type": "image/png",
        "content-length": str(SIZE),
        "content-disposition": 'attachment; filename="a b.bin"',
    }
    assert response.headers["accept-ranges"] == "bytes"
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_an_unknown_file_is_an_error_in_json(client: httpx2.AsyncClient) -> None:
    response = await client.get("/files/file-9/content")
    assert response.status_code == 404
    assert response.json()["error"]["message"] == "No file found with id 'file-9'."


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=60000-130000", 60_000, 130_001),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        ("bytes=10-99999999", 10, SIZE),
        ("bytes=-10", SIZE - 10, SIZE),
        ("bytes=-99999999", 0, SIZE),
    ],
)
async def test_one_range_is_given(client: httpx2.AsyncClient, asked: str, start: int, stop: int) -> None:
    response = await client.get("/files/file-1/content", headers={"range": asked})
    assert response.status_code == 206
    assert response.content == CONTENT[start:stop]
    assert response.headers["content-range"] == f"bytes {start}-{stop - 1}/{SIZE}"


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", "bytes=-0", f"bytes={SIZE + 5}-{SIZE + 9}"])
async def test_a_range_behind_the_end_cannot_be_given(client: httpx2.AsyncClient, asked: str) -> None:
    response = await client.get("/files/file-1/content", headers={"range": asked})
    assert (response.status_code, response.content) == (416, b"")
    assert response.headers["content-range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "bytes=5-2", "bytes=-", "lines=0-1", "bytes=a-b", "nonsense"])
async def test_other_ranges_are_ignored(client: httpx2.AsyncClient, asked: str) -> None:
    response = await client.get("/files/file-1/content", headers={"range": asked})
    assert (response.status_code, response.content) == (200, CONTENT)


async def test_an_empty_file_is_no_bytes(client: httpx2.AsyncClient) -> None:
    await client.post("/files", data={"purpose": "tests"}, files={"file": ("empty", b"")})
    response = await client.get("/files/file-2/content")
    assert (response.status_code, response.content) == (200, b"")
    assert (await client.get("/files/file-2/content", headers={"range": "bytes=0-"})).status_code == 416


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (None, "attachment"),
        ("a.txt", 'attachment; filename="a.txt"'),
        ('a"b\\c.txt', "attachment; filename=\"a_b_c.txt\"; filename*=UTF-8''a%22b%5Cc.txt"),
        ("ü.txt", "attachment; filename=\"_.txt\"; filename*=UTF-8''%C3%BC.txt"),
        ("a\r\nSet-Cookie: x", "attachment; filename=\"a__Set-Cookie: x\"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20x"),
    ],
)
def test_a_file_name_cannot_break_its_header(name: str | None, value: str) -> None:
    assert disposition(name) == value.encode()


@pytest.mark.parametrize("kind", ["text", "text/html\r\nx: y", "a/b\x00"])
async def test_a_media_type_that_is_none_is_not_passed_on(
    client: httpx2.AsyncClient, application: FilesApplication, kind: str
) -> None:
    stored, content = application.files.contents["file-1"]
    application.files.contents["file-1"] = (replace(stored, content_type=kind), content)
    response = await client.get("/files/file-1/content")
    assert response.headers["content-type"] == "application/octet-stream"


async def test_reading_stops_when_the_client_has_left(
    client: httpx2.AsyncClient, application: FilesApplication
) -> None:
    application.files.go_on.clear()
    async with within():
        reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        writer.write(b"GET /v1/files/file-1/content HTTP/1.1\r\nHost: localhost\r\nOpenAI-Beta: assistants=v2\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        assert not application.files.left.is_set()
        writer.close()
        application.files.go_on.set()
        await application.files.left.wait()
