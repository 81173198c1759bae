"""Forms with files, as they arrive at a method."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from runstead.api.app import Settings, create_app
from runstead.interface.transfer import Disconnected
from tests.api.served import BETA, served
from tests.support.files import FILES, FilesApplication
from tests.support.waiting import within

KEY = {"Idempotency-Key": "order 17"}
CONTENT = b"line\r\n--not the boundary\r\n" * 10_000


@pytest.fixture
async def application() -> AsyncIterator[FilesApplication]:
    async with FilesApplication.running() as application:
        yield application


@pytest.fixture
async def client(application: FilesApplication) -> AsyncIterator[httpx2.AsyncClient]:
    async with served(application, FILES) as client:
        yield client


def part(disposition: str, content: bytes, kind: str | None = None) -> bytes:
    head = f"Content-Disposition: form-data; {disposition}\r\n" + (f"Content-Type: {kind}\r\n" if kind else "")
    return b"--edge\r\n" + head.encode() + b"\r\n" + content + b"\r\n"


FILE = part('name="file"; filename="a.txt"', b"some bytes", "text/plain")
PURPOSE = part('name="purpose"', b"tests")
END = b"--edge--\r\n"
HEAD = (
    b"POST /v1/files HTTP/1.1\r\nHost: localhost\r\nOpenAI-Beta: assistants=v2\r\n"
    b"Content-Type: multipart/form-data; boundary=edge\r\n"
)


async def post(client: httpx2.AsyncClient, body: Any, **headers: str) -> httpx2.Response:
    kind = {"content-type": "multipart/form-data; boundary=edge"}
    return await client.post(
        "/files", content=body, headers=kind | {k.replace("_", "-"): v for k, v in headers.items()}
    )


def refused(response: httpx2.Response) -> tuple[int, str | None, str]:
    error = response.json()["error"]
    return response.status_code, error["code"], error["message"]


@pytest.mark.parametrize("body", [PURPOSE + FILE + END, FILE + PURPOSE + END], ids=["field first", "file first"])
async def test_the_parts_of_a_form_come_in_any_order(client: httpx2.AsyncClient, body: bytes) -> None:
    stored = (await post(client, body)).json()
    assert (stored["purpose"], stored["file_name"], stored["content_type"], stored["size"]) == (
        "tests", "a.txt", "text/plain", 10,
    )  # fmt: skip


async def test_a_form_of_another_client_is_read(client: httpx2.AsyncClient) -> None:
    data = {"purpose": "tests", "tags[]": ["a", "b"], "keep_days": "3"}
    stored = (await client.post("/files", data=data, files={"file": ("ü b.txt", CONTENT)})).json()
    assert (stored["tags"], stored["keep_days"], stored["size"]) == (["a", "b"], 3, len(CONTENT))
    assert stored["file_name"] == "ü b.txt"


async def test_a_part_without_a_file_name_is_a_file_if_the_endpoint_has_that_file(client: httpx2.AsyncClient) -> None:
    stored = (await post(client, part('name="file"', b"\xff bytes") + PURPOSE + END)).json()
    assert (stored["file_name"], stored["size"]) == ("file", 7)


@pytest.mark.parametrize("name", ["C:\\\\secret\\\\a.txt", "../../a.txt", "/etc/a.txt"])
async def test_a_file_name_has_no_folders(client: httpx2.AsyncClient, name: str) -> None:
    stored = (await post(client, part(f'name="file"; filename="{name}"', b"") + PURPOSE + END)).json()
    assert stored["file_name"] == "a.txt"


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (PURPOSE + END, "missing_required_parameter", "Missing required parameter: 'file'."),
        (FILE + END, "missing_required_parameter", "Missing required parameter: 'purpose'."),
        (FILE + PURPOSE + FILE + END, "unknown_parameter", "'file'"),
        (FILE + part('name="other"; filename="b"', b"") + END, "unknown_parameter", "'other'"),
        (FILE + PURPOSE + part('name="other"', b"x") + END, "unknown_parameter", "'other'"),
        (FILE + PURPOSE + part('name="keep_days"', b"x") + END, "invalid_type", "keep_days"),
        (FILE + part('name="purpose"', b"\xff") + END, "invalid_multipart_form", "not UTF-8"),
        (FILE + part('name="purpose"', b"x" * 70_000) + END, "invalid_multipart_form", "longer than 65536 bytes"),
        (FILE + PURPOSE * 200 + END, "invalid_multipart_form", "more than 100 parts"),
        (part(f'name="{"x" * 9000}"', b"") + END, "invalid_multipart_form", "header size"),
        (part("filename=a", b"") + END, "invalid_multipart_form", "no name"),
        (FILE + PURPOSE, "invalid_multipart_form", "ends before the closing boundary"),
        (b"", "invalid_multipart_form", "ends before the closing boundary"),
        (b"no form at all", "invalid_multipart_form", "boundary"),
    ],
)
async def test_a_bad_form_is_refused_in_words(client: httpx2.AsyncClient, body: bytes, code: str, words: str) -> None:
    status, found, message = refused(await post(client, body))
    assert (status, found) == (400, code)
    assert words in message


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", "multipart/mixed; boundary=edge", ""])
async def test_another_media_type_is_refused(client: httpx2.AsyncClient, kind: str) -> None:
    status, code, message = refused(await post(client, FILE + PURPOSE + END, content_type=kind))
    assert (status, code) == (400, "invalid_multipart_form")
    assert "multipart/form-data" in message


async def test_a_form_over_the_endpoints_limit_is_refused_by_its_announced_length(client: httpx2.AsyncClient) -> None:
    async with within():
        reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        writer.write(HEAD + b"Content-Length: 9000000\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 413")
        assert b"body_too_large" in await reader.read()
        writer.close()


async def test_a_form_over_the_endpoints_limit_is_refused_where_it_exceeds_it(
    client: httpx2.AsyncClient, application: FilesApplication
) -> None:
    async with within():
        reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        for chunk in (FILE[:-5], b"x" * (8 * 1024 * 1024)):
            writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        await writer.drain()
        assert (await reader.readline()).startswith(b"HTTP/1.1 413")
        writer.close()
    assert application.files.contents == {}


async def test_a_method_reads_the_first_bytes_before_the_last_were_sent(
    client: httpx2.AsyncClient, application: FilesApplication
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield PURPOSE + part('name="file"; filename="a"', b"x" * 1000)[:500]
        await application.files.begun.wait()
        yield b"x" + b"\r\n" + END

    async with within():
        stored = (await post(client, chunks())).json()
    assert stored["size"] > 400


async def test_a_method_that_does_not_read_gets_no_more_of_the_body() -> None:
    """Bytes that the server has not asked for stay in the socket, so the sender waits."""
    head = [(name.lower().encode(), value.encode()) for name, value in BETA.items()]
    head.append((b"content-type", b"multipart/form-data; boundary=edge"))
    chunks = iter([PURPOSE + part('name="file"; filename="a"', b"x" * 99)[:-10], b"x" * 1000, b"\r\n" + END])
    asked = 0

    async def receive() -> dict[str, Any]:
        nonlocal asked
        asked += 1
        return {"type": "http.request", "body": next(chunks), "more_body": asked < 3}

    async def send(message: Any) -> None:
        pass

    async with FilesApplication.running() as application, within(), asyncio.TaskGroup() as group:
        application.files.go_on.clear()
        app = create_app(application, Settings(), FILES)
        scope = {"type": "http", "method": "POST", "path": "/v1/files", "query_string": b"", "headers": head}

        async def request() -> None:
            await app(scope, receive, send)

        group.create_task(request())
        await application.files.begun.wait()
        assert asked == 1
        application.files.go_on.set()
    assert asked == 3


async def test_a_client_that_disconnects_ends_the_upload_with_an_error(
    client: httpx2.AsyncClient, application: FilesApplication
) -> None:
    async with within():
        _, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        writer.write(HEAD + b"Content-Length: 100000\r\n\r\n" + FILE[:-5])
        await writer.drain()
        await application.files.begun.wait()
        writer.close()
        await application.files.failed.wait()
    assert isinstance(application.files.failures[0], Disconnected)
    assert application.files.contents == {}


async def test_a_retried_upload_is_stored_once(client: httpx2.AsyncClient, application: FilesApplication) -> None:
    """The boundary of a retry may be another one: fields and content count."""
    files, data = {"file": ("a.txt", CONTENT, "text/plain")}, {"purpose": "tests"}
    first, second = [await client.post("/files", data=data, files=files, headers=KEY) for _ in range(2)]
    assert first.headers["content-type"] == second.headers["content-type"]
    assert first.content == second.content
    assert [each.headers.get("idempotent-replayed") for each in (first, second)] == [None, "true"]
    assert len(application.files.contents) == 1


@pytest.mark.parametrize(
    "other",
    [
        FILE.replace(b"some", b"SOME") + PURPOSE + END,
        FILE.replace(b"a.txt", b"b.txt") + PURPOSE + END,
        FILE.replace(b"text/plain", b"text/html") + PURPOSE + END,
        FILE + PURPOSE.replace(b"tests", b"other") + END,
    ],
)
async def test_the_key_of_another_upload_is_refused(client: httpx2.AsyncClient, other: bytes) -> None:
    assert (await post(client, FILE + PURPOSE + END, idempotency_key="k")).status_code == 200
    status, code, _ = refused(await post(client, other, idempotency_key="k"))
    assert (status, code) == (400, "idempotency_key_reused")


async def test_a_bad_key_is_refused_before_the_form_is_read(
    client: httpx2.AsyncClient, application: FilesApplication
) -> None:
    status, code, _ = refused(await post(client, b"no form", idempotency_key="x" * 256))
    assert (status, code) == (400, "invalid_idempotency_key")
    assert application.files.failures == []


async def test_administration_needs_its_scope(client: httpx2.AsyncClient, application: FilesApplication) -> None:
    assert (await client.get("/organization/files")).json() == {"count": 0}
    application.scopes = frozenset({"project"})
    status, code, message = refused(await client.get("/organization/files"))
    assert (status, code) == (403, "missing_scope")
    assert message == "You have insufficient permissions for this operation. Missing scopes: admin."
    assert (await post(client, FILE + PURPOSE + END)).status_code == 200
