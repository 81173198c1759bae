"""The images of a model call: files whose bytes go along with the prompt, as data URLs.

A URL is made as JSON, because to encode 28 megabytes of text would hold the event loop for longer than 50 ms; JSON is
copied into the request as it is.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping, Sequence

from msgspec import Raw

from runstead.blobs.port import BlobMissing, Blobs
from runstead.domain.images import MAX_IMAGE_SIZE, image_ids
from runstead.engine.execution.claimed_run import ClaimedRun
from runstead.store.port import FileRow, Tx
from runstead.wire.message import Message

__all__ = ["read_images"]

_MAX_IMAGES = 100
"""Images of one model call."""
_MAX_SIZE = MAX_IMAGE_SIZE
"""Bytes of all images of one model call."""


async def read_images(claimed: ClaimedRun, messages: Sequence[Message]) -> Mapping[str, Raw]:
    """The data URLs, as JSON, of the images of these messages, by the ids of their files.

    The images of the newest messages come first, as many as fit into 20 MB. Files that were deleted, and images that do
    not fit, are missing.
    """
    wanted = image_ids(message for message in reversed(messages) if message.role == "user")[:_MAX_IMAGES]
    if not wanted:
        return {}
    now = claimed.adapters.now()

    async def rows(tx: Tx) -> dict[str, FileRow]:
        return await tx.files.get_many(claimed.row.project, wanted, now)

    found = await claimed.read_store(rows, single=True)
    urls: dict[str, Raw] = {}
    left = _MAX_SIZE
    for file_id in wanted:
        row = found.get(file_id)
        if row is None or row.image_type is None or row.file.bytes > left:
            continue
        url = await _data_url(claimed, row)
        if url is not None:
            left -= row.file.bytes
            urls[file_id] = url
    return urls


async def _data_url(claimed: ClaimedRun, row: FileRow) -> Raw | None:
    """The data URL of an image, however long its place takes; None if it was deleted meanwhile."""

    async def read() -> Raw | None:
        try:
            pieces = [piece async for piece in _pieces(claimed.adapters.blobs, row)]
        except BlobMissing:
            return None
        return Raw(await asyncio.to_thread(b"".join, pieces))

    return await claimed.patiently(read)


async def _pieces(blobs: Blobs, row: FileRow) -> AsyncIterator[bytes]:
    yield f'"data:{row.image_type};base64,'.encode()
    rest = b""
    async for chunk in blobs.read(row.blob):
        data = rest + chunk
        whole = len(data) - len(data) % 3  # three bytes are four letters
        rest = data[whole:]
        yield base64.b64encode(data[:whole])
    yield base64.b64encode(rest) + b'"'
