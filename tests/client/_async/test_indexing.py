"""Files are uploaded into vector stores, and awaited."""

from pathlib import Path

import msgspec
import pytest

from runstead.client._async.client import AsyncClient
from runstead.wire.error import WaitTimeout
from runstead.wire.vector_store import FileBatch, StoreFile, VectorStore
from tests.client import samples
from tests.client.samples import BATCH_ID, FILE_ID, STORE_ID
from tests.client.wire_server import Response, WireServer

STORE_PATH = f"/vector_stores/{STORE_ID}"
FILE_PATH = f"{STORE_PATH}/files/{FILE_ID}"
BATCH_PATH = f"{STORE_PATH}/file_batches/{BATCH_ID}"
UPLOADED = {"id": FILE_ID, "object": "file", "bytes": 3, "created_at": 1, "filename": "a", "purpose": "assistants"}


async def test_a_file_is_uploaded_and_added(client: AsyncClient, server: WireServer, tmp_path: Path) -> None:
    server.on("POST", "/files", Response.of(UPLOADED))
    server.on("POST", f"{STORE_PATH}/files", Response.of(samples.store_file("in_progress")))
    (tmp_path / "a.txt").write_bytes(b"abc")
    sent: list[int] = []
    file = await client.upload_store_file(STORE_ID, tmp_path / "a.txt", attributes={"year": 2026}, progress=sent.append)
    assert (file.id, file.status, sent) == (FILE_ID, "in_progress", [3])
    uploaded, added = server.seen
    assert b'name="purpose"\r\n\r\nassistants\r\n' in uploaded.body
    assert added.json == {"file_id": FILE_ID, "attributes": {"year": 2026}}


async def test_a_wait_polls_until_nothing_is_in_progress(client: AsyncClient, server: WireServer) -> None:
    going_on = Response.of(samples.store_file("in_progress"), openai_poll_after_ms="1")
    failed = samples.store_file("failed", last_error={"code": "invalid_file", "message": "no text"})
    server.on("GET", FILE_PATH, going_on, going_on, Response.of(failed))
    file = await client.wait_for_store_file(msgspec.convert(samples.store_file("in_progress"), StoreFile))
    assert file.last_error is not None
    assert (file.status, file.last_error.message, len(server.seen)) == ("failed", "no text", 3)


async def test_a_wait_shows_its_progress(client: AsyncClient, server: WireServer) -> None:
    batches: list[FileBatch] = []
    going_on = Response.of(samples.file_batch("in_progress"), openai_poll_after_ms="1")
    server.on("GET", BATCH_PATH, going_on, Response.of(samples.file_batch("completed")))
    batch = msgspec.convert(samples.file_batch("in_progress"), FileBatch)
    assert await client.wait_for_file_batch(batch, progress=batches.append) == batches[-1]
    assert [each.status for each in batches] == ["in_progress", "completed"]
    stores: list[VectorStore] = []
    server.on("GET", STORE_PATH, Response.of(samples.vector_store("completed")))
    assert await client.wait_for_vector_store(STORE_ID, progress=stores.append) == stores[-1]


async def test_a_wait_ends_at_its_timeout(client: AsyncClient, server: WireServer) -> None:
    server.on("GET", STORE_PATH, Response.of(samples.vector_store("in_progress"), openai_poll_after_ms="1"))
    for timeout in (0.0, 0.05):
        with pytest.raises(WaitTimeout, match=f"{STORE_ID} was still in progress"):
            await client.wait_for_vector_store(STORE_ID, timeout=timeout)
