"""Retrieval for tests: the real reader and index, and embeddings that need no model."""

import re
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from runstead.blobs.port import Blobs
from runstead.engine.adapters import Clock
from runstead.engine.retrieval.parts import Retrieval
from runstead.engine.retrieval.search import StoreSearch
from runstead.retrieval.documents.reader import ConfinedReader
from runstead.retrieval.embeddings.port import Embeddings, Purpose, Vectors
from runstead.retrieval.index.port import Index
from runstead.retrieval.index.sqlite import SqliteIndex
from runstead.store.port import Store

__all__ = ["HashingEmbeddings", "retrieval_of"]

_DIMENSION = 64
_WORD = re.compile(r"\w+")


class HashingEmbeddings:
    """Texts with words in common have vectors that point in similar directions."""

    def __init__(self, model: str = "hashing", failures: Sequence[Exception] = ()) -> None:
        self._model = model
        self.failures = list(failures)
        """Raised by the next calls, one each."""
        self.embedded = 0
        """Texts that became vectors."""

    @property
    def model(self) -> str:
        return self._model

    async def dimension(self) -> int:
        return _DIMENSION

    async def embed(self, texts: Sequence[str], *, purpose: Purpose) -> Vectors:
        if self.failures:
            raise self.failures.pop(0)
        self.embedded += len(texts)
        return np.array([_vector(text) for text in texts], np.float32).reshape(len(texts), _DIMENSION)

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


def _vector(text: str) -> list[float]:
    counts = [0.01] * _DIMENSION
    for word in _WORD.findall(text.casefold()):
        counts[zlib.crc32(word.encode()) % _DIMENSION] += 1.0
    length = sum(count * count for count in counts) ** 0.5
    return [count / length for count in counts]


def retrieval_of(
    store: Store,
    clock: Clock,
    blobs: Blobs,
    *,
    index: Index | None = None,
    path: Path | None = None,
    embeddings: Embeddings | None = None,
    workers: int = 2,
) -> Retrieval:
    """The parts over a store. The index is a temporary file, or that at `path`."""
    index = index or SqliteIndex(path)
    embeddings = embeddings or HashingEmbeddings()
    return Retrieval(
        reader=ConfinedReader(processes=workers),
        index=index,
        blobs=blobs,
        embeddings=embeddings,
        search=StoreSearch(store, index, embeddings, clock),
        workers=workers,
    )
