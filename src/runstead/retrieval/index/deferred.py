"""An index that is opened when it is first needed: many processes never search, and its imports take a while."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from runstead.retrieval.index.port import Attributes, Entry, Hit, Index, IndexedChunk, Query, Vectors
from runstead.retrieval.starting import started
from runstead.wire.error import Closed

__all__ = ["DeferredIndex"]


class DeferredIndex:
    """`port.Index`, by an index that `make` makes in a thread. It is started by the first call that needs it."""

    def __init__(self, make: Callable[[], Index]) -> None:
        self._make = make
        self._opening = asyncio.Lock()
        self._opened: Index | None = None
        self._stopped = False

    async def start(self) -> None: ...

    async def stop(self) -> None:
        async with self._opening:
            self._stopped = True
            if self._opened is not None:
                await self._opened.stop()

    async def add(self, entry: Entry, chunks: Sequence[IndexedChunk], vectors: "Vectors | None") -> None:
        await (await self._index()).add(entry, chunks, vectors)

    async def publish(self, entry: Entry, attributes: Attributes) -> None:
        await (await self._index()).publish(entry, attributes)

    async def discard(self, entry: Entry) -> None:
        await (await self._index()).discard(entry)

    async def set_attributes(self, project: str, store_id: str, file_id: str, attributes: Attributes) -> None:
        await (await self._index()).set_attributes(project, store_id, file_id, attributes)

    async def remove_file(self, project: str, store_id: str, file_id: str) -> None:
        await (await self._index()).remove_file(project, store_id, file_id)

    async def remove_store(self, project: str, store_id: str) -> None:
        await (await self._index()).remove_store(project, store_id)

    async def search(self, query: Query) -> Sequence[Hit]:
        return await (await self._index()).search(query)

    async def size(self, project: str, store_id: str) -> int:
        return await (await self._index()).size(project, store_id)

    async def published(self, project: str, store_id: str) -> Mapping[str, str]:
        return await (await self._index()).published(project, store_id)

    async def _index(self) -> Index:
        if self._opened is None or self._stopped:
            async with self._opening:
                if self._stopped:
                    raise Closed("the index is closed")
                if self._opened is None:
                    self._opened = await started(await asyncio.to_thread(self._make))
        return self._opened
