"""The embedded model as `Embeddings`.

    documents ─▶ windows ─▶ batches ─▶ one process of low priority
    queries   ─▶ windows ─▶ batches ─▶ another one of normal priority

Queries have a process of their own, so none waits behind a batch of documents, in a queue or for the processor.
"""

from collections.abc import Sequence

import numpy as np

from runstead.retrieval.embeddings.local.frames import DIMENSION, MODEL
from runstead.retrieval.embeddings.local.process import ModelProcess
from runstead.retrieval.embeddings.port import Purpose, Vectors
from runstead.retrieval.embeddings.windows import Windows

__all__ = ["LocalEmbeddings"]

_WINDOW = 1000
"""Characters. The model has no limit, but it was made for sentences, and longer windows find less."""
_BATCH_TEXTS = 64
_BATCH_CHARACTERS = 16_000
"""Of one batch: 0.3 s of one core, and 10 MB in the process."""
_DOCUMENT_NICENESS = 10


class LocalEmbeddings:
    """The multilingual Universal Sentence Encoder, for 16 languages. Neither process runs before it is needed."""

    def __init__(self, *, threads: int = 1) -> None:
        self._processes = {
            "document": ModelProcess("documents", niceness=_DOCUMENT_NICENESS, threads=threads),
            "query": ModelProcess("queries", niceness=0),
        }

    @property
    def model(self) -> str:
        return MODEL

    async def dimension(self) -> int:
        return DIMENSION

    async def embed(self, texts: Sequence[str], *, purpose: Purpose) -> Vectors:
        windows = Windows(texts, _WINDOW)
        process = self._processes[purpose]
        batches = windows.batches(count=_BATCH_TEXTS, size=_BATCH_CHARACTERS)
        rows = [await process.embed(batch) for batch in batches]
        vectors = np.concatenate(rows) if rows else np.empty((0, DIMENSION), dtype=np.float32)
        return windows.joined(vectors)

    async def start(self) -> None: ...

    async def stop(self) -> None:
        for process in self._processes.values():
            await process.stop()
