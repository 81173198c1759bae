"""Makes one file of a vector store searchable.

```
blob ─ read in a confined process ─▶ text ─ stored as a blob ─▶ chunks ─ embedded in batches ─▶ index.add
                                                                                                    │
              one transaction: completed, counts and usage of the store ◀─ index.publish ◀──────────┘
```
A version of a file is in the index unseen until it is published, which also removes the version before it. So a crash
leaves either no passage of the file or all of them, and the next attempt begins a version of its own. The file is
published before it is completed: a reader that sees it completed finds it. A claim that was lost meanwhile, because the
file was removed, cancelled or claimed by another process, completes nothing.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice

from msgspec.structs import replace

from runstead.engine.adapters import Adapters
from runstead.engine.retrieval.parts import Retrieval
from runstead.engine.retrieval.texts import read_text, write_text
from runstead.retrieval.chunking import Chunk, chunks
from runstead.retrieval.documents.port import Document
from runstead.retrieval.index.port import Entry, IndexedChunk, Vectors
from runstead.store.port import FileRow, IngestionJob, Lane, Tx
from runstead.wire.error import Unreachable
from runstead.wire.vector_store import StoreFileError

__all__ = ["ClaimLost", "finish", "ingest"]

_BATCH = 32
"""Chunks that are embedded and indexed at once."""
_PART = 4
"""Chunks that are cut in one turn of the event loop."""
_VECTOR_BYTES = 4
"""Bytes of one number of a vector, as usage counts them."""


class ClaimLost(Exception):
    """The file was removed, cancelled, or claimed by another process."""


async def ingest(adapters: Adapters, retrieval: Retrieval, job: IngestionJob) -> None:
    """Read, chunk, embed and index a claimed file, and complete it.

    Raises `DocumentError` if the document cannot be read, `EmbeddingError` and `Unreachable` for what may pass, and
    `ClaimLost`.
    """
    file = await adapters.store.read(lambda tx: tx.files.get(job.project, job.file.id, adapters.now()))
    if file is None:  # it was deleted while it was added
        await _remove(adapters, job)
        raise ClaimLost
    document = await _document(retrieval, file)
    version = adapters.new_id("version")  # a file that was removed and added again has no version of before
    entry = Entry(project=job.project, store_id=job.file.vector_store_id, file_id=job.file.id, version=version)
    embedded = await _uses_embeddings(adapters, retrieval, job)
    try:
        usage = await _index(retrieval, job, entry, document, embedded=embedded)
        await retrieval.index.publish(entry, job.file.attributes)
    except BaseException:
        await asyncio.shield(_discard(retrieval, entry))
        raise
    if not await finish(adapters, job, usage, None):
        raise ClaimLost
    await _with_current_attributes(adapters, retrieval, job)


async def finish(adapters: Adapters, job: IngestionJob, usage: int, error: StoreFileError | None) -> bool:
    """Complete or fail a file. If its store does not have it any more, its published passages are removed."""
    place = job.project, job.file.vector_store_id

    async def work(tx: Tx) -> bool:
        await tx.vector_stores.get(*place, adapters.now())  # a lock, before the file's
        if await tx.store_files.finish(job, usage, error):
            return True
        file = await tx.store_files.get(*place, job.file.id)
        if file is None or file.status == "cancelled":
            await tx.vector_stores.mark_removal(*place, job.file.id)
        return False

    return await adapters.store.write(work, lane=Lane.CLOSING)


async def _remove(adapters: Adapters, job: IngestionJob) -> None:
    place, now = (job.project, job.file.vector_store_id), adapters.now()

    async def work(tx: Tx) -> None:
        await tx.vector_stores.get(*place, now)  # a lock, before the file's
        await tx.store_files.remove(*place, job.file.id, now)

    await adapters.store.write(work, lane=Lane.CLOSING)


async def _discard(retrieval: Retrieval, entry: Entry) -> None:
    """Remove the added chunks. If the index is unreachable, the next publication removes them."""
    with suppress(Unreachable):
        await retrieval.index.discard(entry)


async def _document(retrieval: Retrieval, file: FileRow) -> Document:
    stored = await read_text(retrieval.blobs, file.blob)
    if stored is not None:
        return stored
    async with retrieval.blobs.open_local(file.blob) as path:
        document = await retrieval.reader.read(path, file.file.filename)
    await write_text(retrieval.blobs, file.blob, document)
    return document


async def _uses_embeddings(adapters: Adapters, retrieval: Retrieval, job: IngestionJob) -> bool:
    """Whether the file gets vectors. A store remembers the model of its first vectors, and gets no others."""
    if retrieval.embeddings is None:
        return False
    model, dimension = retrieval.embeddings.model, await retrieval.embeddings.dimension()

    async def work(tx: Tx) -> bool:
        row = await tx.vector_stores.get(job.project, job.file.vector_store_id, adapters.now())
        if row is None:
            raise ClaimLost
        if row.embedding_model is None:
            row = replace(row, embedding_model=model, dimension=dimension)
            await tx.vector_stores.replace(job.project, row)
        return (row.embedding_model, row.dimension) == (model, dimension)

    return await adapters.store.write(work, lane=Lane.MAINTENANCE)


async def _index(retrieval: Retrieval, job: IngestionJob, entry: Entry, document: Document, *, embedded: bool) -> int:
    """Add all chunks of a document to the index. Returns the bytes that they use."""
    sizes = job.file.chunking_strategy.static
    cut = chunks(document, max_tokens=sizes.max_chunk_size_tokens, overlap_tokens=sizes.chunk_overlap_tokens)
    numbered = (_indexed(document, number, chunk) for number, chunk in enumerate(cut))
    usage = 0
    while batch := await _next(numbered):
        vectors = await _vectors(retrieval, batch, embedded=embedded)
        await retrieval.index.add(entry, batch, vectors)
        usage += sum(len(chunk.text.encode()) for chunk in batch)
        usage += 0 if vectors is None else _VECTOR_BYTES * vectors.size
    return usage


async def _next(numbered: Iterator[IndexedChunk]) -> Sequence[IndexedChunk]:
    """The next chunks. Large ones take a few milliseconds each, so the event loop goes on between them."""
    batch: list[IndexedChunk] = []
    while len(batch) < _BATCH and (part := list(islice(numbered, _PART))):
        batch += part
        await asyncio.sleep(0)
    return batch


async def _vectors(retrieval: Retrieval, batch: Sequence[IndexedChunk], *, embedded: bool) -> "Vectors | None":
    if not embedded or retrieval.embeddings is None:
        return None
    texts = [f"{chunk.heading}\n{chunk.text}" if chunk.heading else chunk.text for chunk in batch]
    return await retrieval.embeddings.embed(texts, purpose="document")


def _indexed(document: Document, number: int, chunk: Chunk) -> IndexedChunk:
    return IndexedChunk(
        number=number,
        start=chunk.start,
        end=chunk.end,
        text=document.text[chunk.start : chunk.end],
        heading=chunk.heading,
        place=chunk.place,
    )


async def _with_current_attributes(adapters: Adapters, retrieval: Retrieval, job: IngestionJob) -> None:
    """Publish the attributes again if they were changed while the file was indexed."""
    place = job.project, job.file.vector_store_id, job.file.id
    file = await adapters.store.read(lambda tx: tx.store_files.get(*place))
    if file is not None and file.attributes != job.file.attributes:
        await retrieval.index.set_attributes(*place, file.attributes)
