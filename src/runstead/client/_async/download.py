"""The content of a file on its way here."""

import asyncio
from collections.abc import AsyncIterator
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from runstead.client.http.incoming import ContentHead

__all__ = ["AsyncDownload", "AsyncOwner"]


class AsyncOwner(Protocol):
    """The source of the bytes."""

    async def aclose(self) -> None: ...


class AsyncDownload(AsyncIterator[bytes]):
    """The bytes of a file as they arrive, once. Use it with `async with`, or read it to its end."""

    def __init__(self, head: ContentHead, chunks: AsyncIterator[bytes], owner: AsyncOwner) -> None:
        self.content_type: str = head.content_type
        self.size: int | None = head.size
        """In bytes, if the server says so."""
        self.file_name: str | None = head.file_name
        self._chunks = chunks
        self._owner = owner
        self._closed = False

    async def read(self) -> bytes:
        """All bytes, in memory: for a file whose size is known, or whose server is trusted."""
        content = bytearray()
        async for chunk in self:
            content += chunk
        return bytes(content)

    async def save(self, path: str | PathLike[str]) -> None:
        """Write the bytes to a file. It is created, or replaced, once all of them are there."""
        target = Path(path)
        partial = target.with_name(f"{target.name}.part")
        async with self:
            with await asyncio.to_thread(partial.open, "wb") as file:
                async for chunk in self:
                    await asyncio.to_thread(file.write, chunk)
        await asyncio.to_thread(partial.replace, target)

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._chunks)
        except BaseException:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        """Stop reading."""
        if not self._closed:
            self._closed = True
            await self._owner.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
