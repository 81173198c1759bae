"""Indexes all files of all vector stores again: after the index was lost, or for another embedding model.

A store whose vectors are of another model leaves the index first, so that vectors of two models are never compared. Any
other one is searched as before, file by file, until the new version of the file is there.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from runstead.engine.adapters import Adapters
from runstead.engine.retrieval.parts import Retrieval
from runstead.store.port import Lane, Tx, VectorStoreRow
from runstead.wire.struct import SortOrder
from runstead.wire.vector_store import StoreFileQuery

__all__ = ["Reindexed", "make_due", "wait_until_indexed"]

_PAGE = 200
_PERIOD = 0.25
"""Seconds between two counts of the files that are left."""


class Reindexed(Struct, frozen=True, kw_only=True):
    """The progress of reindexing."""

    files: int
    """Files that are indexed again."""
    left: int
    """Files in progress: of those, and of the files that were added meanwhile."""


async def make_due(adapters: Adapters, retrieval: Retrieval) -> int:
    """Make all completed files due to be indexed. Returns how many. A crash loses nothing: call it again."""
    files = 0
    async for project, row in _stores(adapters):
        if await _has_other_vectors(retrieval, row):
            await retrieval.index.remove_store(project, row.id)
        await adapters.store.write(partial(_forget_model, project, row.id, adapters.now()), lane=Lane.MAINTENANCE)
        files += await _make_store_due(adapters, project, row.id)
    retrieval.wake()
    return files


async def wait_until_indexed(adapters: Adapters, files: int, progress: Callable[[Reindexed], object]) -> None:
    """Wait until no file of any store is in progress, and report the progress several times a second."""
    while True:
        left = 0
        async for _, row in _stores(adapters):
            left += row.store.file_counts.in_progress
        progress(Reindexed(files=files, left=left))
        if not left:
            return
        await asyncio.sleep(_PERIOD)


async def _stores(adapters: Adapters) -> AsyncIterator[tuple[str, VectorStoreRow]]:
    after = ""
    while page := await adapters.store.read(
        lambda tx, after=after: tx.vector_stores.audit(after, _PAGE, adapters.now()),  # type: ignore[misc]
        lane=Lane.MAINTENANCE,
    ):
        for found in page:
            yield found
        after = page[-1][1].id


async def _has_other_vectors(retrieval: Retrieval, row: VectorStoreRow) -> bool:
    if row.embedding_model is None or retrieval.embeddings is None:
        return row.embedding_model is not None
    known = row.embedding_model, row.dimension
    return known != (retrieval.embeddings.model, await retrieval.embeddings.dimension())


async def _forget_model(project: str, store_id: str, now: int, tx: Tx) -> None:
    """The next file of the store decides of which model its vectors are."""
    row = await tx.vector_stores.get(project, store_id, now)
    if row is not None:
        await tx.vector_stores.replace(project, replace(row, embedding_model=None, dimension=0))


async def _make_store_due(adapters: Adapters, project: str, store_id: str) -> int:
    files, after = 0, None
    while True:
        query = StoreFileQuery(limit=_PAGE, order=SortOrder.ASC, after=after)

        async def work(tx: Tx, query: StoreFileQuery = query) -> tuple[int, str | None]:
            now = adapters.now()
            await tx.vector_stores.get(project, store_id, now)  # a lock, before the files'
            page = await tx.store_files.page(project, store_id, query)
            if page is None or not page.data:
                return 0, None
            ids = [file.id for file in page.data]
            return await tx.store_files.renew_completed(project, store_id, ids, now), page.last_id

        count, after = await adapters.store.write(work, lane=Lane.MAINTENANCE)
        files += count
        if after is None:
            return files
