"""The embedded model, whose libraries are imported when it is first needed: most processes never embed a text."""

import asyncio
from collections.abc import Callable, Sequence

from runstead.retrieval.embeddings.local.frames import DIMENSION
from runstead.retrieval.embeddings.port import Embeddings, Purpose, Vectors

__all__ = ["DeferredEmbeddings"]


class DeferredEmbeddings:
    """Implements `Embeddings` by a model that `make` makes in a thread, at the first call of `embed`."""

    def __init__(self, model: str, make: Callable[[], Embeddings]) -> None:
        self._model = model
        self._make = make
        self._making = asyncio.Lock()
        self._made: Embeddings | None = None

    @property
    def model(self) -> str:
        return self._model

    async def dimension(self) -> int:
        return DIMENSION

    async def embed(self, texts: Sequence[str], *, purpose: Purpose) -> Vectors:
        return await (await self._embeddings()).embed(texts, purpose=purpose)

    async def _embeddings(self) -> Embeddings:
        async with self._making:
            if self._made is None:
                self._made = await asyncio.to_thread(self._make)
            return self._made

    async def start(self) -> None: ...

    async def stop(self) -> None:
        async with self._making:
            if self._made is not None:
                await self._made.stop()
