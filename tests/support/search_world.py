"""An application that reads, indexes and searches files, by their words alone: a model of vectors takes a second."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from runstead.blobs.local import LocalBlobs
from runstead.engine.adapters import SystemClock
from runstead.engine.retrieval.parts import Retrieval
from runstead.engine.retrieval.search import StoreSearch
from runstead.llm.scripted import Script
from runstead.retrieval.documents.reader import ConfinedReader
from runstead.retrieval.index.sqlite.index import SqliteIndex
from runstead.store.port import Store
from runstead.store.sqlite import SqliteStore
from runstead.tools.file_search import FileSearchServer
from tests.support.worlds import World, world

__all__ = ["search_parts", "search_world"]


def search_parts(store: Store, **outside: Any) -> dict[str, Any]:
    """The settings of an application that searches the files of this store."""
    clock, blobs, index = SystemClock(), LocalBlobs(None), SqliteIndex(None)
    parts = Retrieval(
        reader=ConfinedReader(processes=1),
        index=index,
        blobs=blobs,
        embeddings=None,
        search=StoreSearch(store, index, None, clock),
        workers=1,
    )
    tools = [FileSearchServer(parts.search)]
    return {"store": store, "clock": clock, "blobs": blobs, "retrieval": parts, "tools": tools} | outside


@asynccontextmanager
async def search_world(script: Script = (), **outside: Any) -> AsyncIterator[World]:
    """The application."""
    async with world(script, **search_parts(SqliteStore(":memory:"), **outside)) as here:
        yield here
