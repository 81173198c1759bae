"""The bytes of an upload's source, without blocking the event loop."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from os import PathLike
from pathlib import Path
from typing import BinaryIO

from runstead.client.sources import CHUNK, OpenedFile, is_file

__all__ = ["chunks_of"]


async def chunks_of(file: OpenedFile) -> AsyncGenerator[bytes]:
    """The bytes of a source, from its start."""
    content = file.content
    if isinstance(content, bytes):
        yield content
    elif isinstance(content, PathLike):
        with await asyncio.to_thread(Path(content).open, "rb") as opened:
            async for chunk in _read(opened):
                yield chunk
    elif is_file(content):
        if file.start is not None:
            await asyncio.to_thread(content.seek, file.start)
        async for chunk in _read(content):
            yield chunk
    else:
        async for chunk in _iterated(content):
            yield chunk


async def _read(file: BinaryIO) -> AsyncGenerator[bytes]:
    while chunk := await asyncio.to_thread(file.read, CHUNK):
        yield chunk


async def _iterated(content: Iterable[bytes] | AsyncIterable[bytes]) -> AsyncGenerator[bytes]:
    if isinstance(content, AsyncIterable):
        async for chunk in content:
            yield chunk
    else:
        for chunk in content:
            yield chunk
