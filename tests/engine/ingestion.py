"""A world with vector stores: files with a text each, and the state of their ingestion."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from runstead.blobs.local import LocalBlobs
from runstead.blobs.port import Blobs
from runstead.engine.resources.project import Project
from runstead.retrieval.documents.port import Document, DocumentError
from runstead.store.port import Store
from runstead.store.sqlite import SqliteStore
from runstead.wire.search import SearchRequest
from runstead.wire.vector_store import StoreFile, VectorStoreRequest
from tests.engine.uploads import form
from tests.support.clock import ManualClock
from tests.support.retrieval import HashingEmbeddings, retrieval_of
from tests.support.waiting import until
from tests.support.worlds import World, world

__all__ = ["PlainReader", "found_in", "idle", "searching", "status_of", "store_with", "upload_text", "wake"]


class PlainReader:
    """A `DocumentReader` of plain text that reports its reads, and waits or fails as a test decides."""

    def __init__(self) -> None:
        self.read_names: list[str] = []
        self.failures: list[Exception] = []
        self.waiting = 0
        self._open = True

    def close(self) -> None:
        """From here on reading waits."""
        self._open = False

    def open(self) -> None:
        """Whatever waits goes on."""
        self._open = True

    async def read(self, path: Path, file_name: str) -> Document:
        self.read_names.append(file_name)
        self.waiting += 1
        try:
            await until(lambda: self._open)
        finally:
            self.waiting -= 1
        if self.failures:
            raise self.failures.pop(0)
        text = path.read_text()
        if not text:
            raise DocumentError("invalid_file", "The file is empty.")
        return Document(text=text, media_type="text/plain")

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


@asynccontextmanager
async def searching(
    *,
    store: Store | None = None,
    reader: PlainReader | None = None,
    embeddings: HashingEmbeddings | None = None,
    workers: int = 2,
    blobs: Blobs | None = None,
    **outside: Any,
) -> AsyncIterator[World]:
    """A running application that ingests files."""
    store, clock, blobs = store or SqliteStore(":memory:"), ManualClock(), blobs or LocalBlobs(None)
    retrieval = retrieval_of(store, clock, blobs, embeddings=embeddings, workers=workers)
    retrieval = replace(retrieval, reader=reader or PlainReader())
    async with world(store=store, clock=clock, blobs=blobs, retrieval=retrieval, **outside) as here:
        yield here


async def upload_text(project: Project, text: str, name: str = "a.txt") -> str:
    return (await project.create_file(form(text.encode(), name))).id


async def store_with(project: Project, texts: Sequence[str], *, prefix: str = "") -> tuple[str, list[str]]:
    """A vector store and its files, which are named by their numbers."""
    file_ids = [await upload_text(project, text, f"{prefix}{number}.txt") for number, text in enumerate(texts)]
    store = await project.create_vector_store(VectorStoreRequest(file_ids=file_ids))
    return store.id, file_ids


async def status_of(project: Project, store_id: str, file_id: str, status: str = "completed") -> StoreFile:
    """The file, once it has this status."""

    async def has() -> bool:
        return (await project.get_store_file(store_id, file_id)).status == status

    await until(has)
    return await project.get_store_file(store_id, file_id)


async def found_in(project: Project, store_id: str, query: str) -> list[str]:
    page = await project.search_vector_store(store_id, SearchRequest(query=query))
    return [each.filename for each in page.data]


def idle() -> bool:
    """No file is being ingested: the outcome of every attempt is written."""
    return not any(task.get_name().startswith("ingest ") for task in asyncio.all_tasks())


def wake(here: World) -> None:
    """Look for due files now, not within a second."""
    assert here.adapters.retrieval is not None
    here.adapters.retrieval.wake()
