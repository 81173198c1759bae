"""Gathers chunks of any size into larger ones, because each chunk that is written costs a thread or a request."""

from collections.abc import AsyncIterator

from runstead.blobs.port import CHUNK

__all__ = ["buffered"]


async def buffered(chunks: AsyncIterator[bytes], size: int = CHUNK) -> AsyncIterator[bytes]:
    """The same bytes in chunks of at least `size`, but for the last one. No chunk is empty."""
    gathered = bytearray()
    async for chunk in chunks:
        gathered += chunk
        if len(gathered) >= size:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)
