"""The text that was read from a file, stored as a blob beside the file's own. All stores that have the file share it.

A blob is a line of JSON about the document, lines of JSON with its places, and then its text in UTF-8. It is written
and read in portions, because a large one would hold the event loop for too long at once.
"""

import asyncio
import codecs
from collections.abc import AsyncIterator, Sequence

import msgspec
from msgspec import Struct

from runstead.blobs.port import CHUNK, BlobExists, BlobMissing, Blobs
from runstead.retrieval.documents.port import MAX_CHARACTERS, Document, Place

__all__ = ["TEXT", "read_text", "text_blob", "write_text"]

TEXT = "text_"
"""The prefix of these blobs. The name of the file's blob follows."""

_PLACES = 1_000
"""Places of one line."""
_MAX_SIZE = 4 * MAX_CHARACTERS + 256 * 2**20
"""Bytes of a blob: a character has four at most, a place a few hundred."""

_encode = msgspec.json.Encoder().encode


class _Head(Struct, frozen=True):
    media_type: str
    lines: int
    """Lines of places that follow."""


_decode_head = msgspec.json.Decoder(_Head).decode
_decode_places = msgspec.json.Decoder(list[Place]).decode


def text_blob(blob: str) -> str:
    """The name of the blob with the text of the file whose content is in `blob`."""
    return f"{TEXT}{blob}"


async def write_text(blobs: Blobs, blob: str, document: Document) -> None:
    """Store the text of a file, unless it is stored already."""
    try:
        await blobs.write(text_blob(blob), _written(document), limit=_MAX_SIZE)
    except BlobExists:
        return


async def read_text(blobs: Blobs, blob: str) -> Document | None:
    """The stored text of a file; None if it was not read yet."""
    try:
        return await _read(blobs.read(text_blob(blob)))
    except BlobMissing:
        return None


async def _written(document: Document) -> AsyncIterator[bytes]:
    places = document.places
    lines = [places[start : start + _PLACES] for start in range(0, len(places), _PLACES)]
    yield _encode(_Head(document.media_type, len(lines))) + b"\n"
    for line in lines:
        yield _encode(line) + b"\n"
    for start in range(0, len(document.text), CHUNK):
        yield document.text[start : start + CHUNK].encode()


async def _read(chunks: AsyncIterator[bytes]) -> Document:
    lines = _Lines(chunks)
    head = _decode_head(await lines.next())
    places: list[Place] = []
    for _ in range(head.lines):
        places += _decode_places(await lines.next())
        await asyncio.sleep(0)
    text = await _decoded(lines.rest, chunks)
    return Document(text=text, places=places, media_type=head.media_type)


class _Lines:
    """The lines at the beginning of a blob."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self.rest = b""
        """The bytes that were read after the last line."""

    async def next(self) -> bytes:
        parts: list[bytes] = []
        while True:
            line, newline, rest = self.rest.partition(b"\n")
            parts.append(line)
            if newline:
                self.rest = rest
                return b"".join(parts)
            self.rest = await anext(self._chunks)


async def _decoded(first: bytes, chunks: AsyncIterator[bytes]) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    parts: Sequence[str] = [decoder.decode(first)]
    parts = [*parts, *[decoder.decode(chunk) async for chunk in chunks]]
    return "".join(parts) + decoder.decode(b"", final=True)
