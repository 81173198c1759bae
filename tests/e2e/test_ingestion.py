"""Processes are killed in the middle of an ingestion: the next one begins again, and no document is half visible."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from aiohttp import web

from runstead import SearchRequest, VectorStoreRequest, connect
from runstead.client import Client
from tests.retrieval.embeddings.embedding_server import EmbeddingServerDouble, answered, serving
from tests.support.cluster import cluster
from tests.support.program import Program
from tests.support.waiting import within

T = TypeVar("T")

DOCUMENT = "\n\n".join(f"Chapter {n} is about item{n}. " + "And so on, and so on. " * 200 for n in range(40))
"""Cut into several batches of chunks."""
QUERIES = ("item0", "item17", "item39")
SCRIPT = '[[answer]]\nsay = "The end."\n'


class Holding:
    """Answers of an embedding server: at once, but the second one of a document only after `release`."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self._released = asyncio.Event()

    async def hold(self, server: EmbeddingServerDouble, body: dict[str, Any]) -> web.StreamResponse:
        self.reached.set()
        await self._released.wait()
        return await answered(server, body)

    def release(self) -> None:
        self._released.set()


@pytest.fixture
async def holding() -> AsyncIterator[tuple[Holding, str]]:
    """The server of embeddings, and its URL. It holds its fourth answer: one is for the dimension."""
    holding = Holding()
    async with serving(answered, answered, answered, holding.hold) as server:
        yield holding, server.url
        holding.release()


async def called(work: Callable[[], T]) -> T:
    async with within(60):
        return await asyncio.to_thread(work)


def add(client: Client) -> str:
    """A vector store with the document."""
    file = client.upload_file(DOCUMENT.encode())
    return client.create_vector_store(VectorStoreRequest(file_ids=[file.id])).id


def hits(client: Client, store_id: str) -> list[list[str]]:
    """The passages found for each query, without those that do not contain it."""
    pages = [client.search_vector_store(store_id, SearchRequest(query=query)) for query in QUERIES]
    return [
        [hit.content[0].text for hit in page.data if query in hit.content[0].text]
        for query, page in zip(QUERIES, pages, strict=True)
    ]


def is_whole(client: Client, store_id: str) -> None:
    """The document is completed, and each of its passages is found once."""
    store = client.wait_for_vector_store(store_id, 60)
    assert (store.file_counts.completed, store.file_counts.total) == (1, 1)
    for found in hits(client, store_id):
        assert found
        assert len(set(found)) == len(found)


@contextmanager
def serve(folder: Path, **settings: str) -> Iterator[Program]:
    (folder / "script.toml").write_text(SCRIPT)
    settings |= {"data": str(folder / "data"), "script": str(folder / "script.toml")}
    program = Program("serve", "--port", "0", **settings)  # type: ignore[arg-type]
    try:
        program.ready()
        yield program
    finally:
        program.close()


async def test_an_ingestion_survives_kill_9(holding: tuple[Holding, str], tmp_path: Path) -> None:
    held, url = holding
    with serve(tmp_path, embeddings_url=url, embeddings_model="words") as first, connect(first.url) as client:
        store_id = await called(lambda: add(client))
        async with within(60):
            await held.reached.wait()
        assert await called(lambda: hits(client, store_id)) == [[], [], []]
        first.process.kill()
    held.release()
    with serve(tmp_path, embeddings_url=url, embeddings_model="words") as second, connect(second.url) as client:
        await called(lambda: is_whole(client, store_id))
        second.process.terminate()
        assert second.process.wait(20) == 0
    said = Program("check", "--drained", data=str(tmp_path / "data"))
    said.ready()
    assert said.line.endswith("1 file, 1 vector store: 0 violations.\n"), said.line
    said.close()


async def test_another_worker_takes_an_ingestion_over(holding: tuple[Holding, str], tmp_path: Path) -> None:
    """Uploaded at one server, begun by a worker that is killed, completed by another one, searched elsewhere."""
    held, url = holding
    settings = {"lease": "2", "blobs": str(tmp_path / "blobs"), "embeddings_url": url, "embeddings_model": "words"}
    with (
        cluster(tmp_path, apis=2, script=SCRIPT, **settings) as here,  # type: ignore[arg-type]
        connect(here.urls[0]) as uploading,
        connect(here.urls[1]) as searching,
    ):
        store_id = await called(lambda: add(uploading))
        async with within(60):
            await held.reached.wait()
        assert await called(lambda: hits(searching, store_id)) == [[], [], []]
        here.workers[0].process.kill()
        await called(lambda: here.worker().ready())
        held.release()
        await called(lambda: is_whole(searching, store_id))
