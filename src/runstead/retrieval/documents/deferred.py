"""A reader of documents whose processes start when the first document is read: many servers never read one."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from runstead.retrieval.documents.port import Document, DocumentError, DocumentReader
from runstead.retrieval.starting import started

__all__ = ["DeferredReader"]


class DeferredReader:
    """A `DocumentReader`, by a reader that `make` makes. The first call of `read` starts it."""

    def __init__(self, make: Callable[[], DocumentReader]) -> None:
        self._make = make
        self._starting = asyncio.Lock()
        self._started: DocumentReader | None = None
        self._stopped = False

    async def read(self, path: Path, file_name: str) -> Document:
        return await (await self._reader()).read(path, file_name)

    async def start(self) -> None:
        self._stopped = False

    async def stop(self) -> None:
        async with self._starting:
            reader, self._started, self._stopped = self._started, None, True
            if reader is not None:
                await reader.stop()

    async def _reader(self) -> DocumentReader:
        async with self._starting:
            if self._stopped:
                raise DocumentError("server_error", "The server is stopping.")
            if self._started is None:
                self._started = await started(self._make())
            return self._started
