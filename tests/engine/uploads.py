"""Uploads to the engine itself, as an API or a client hands them over."""

from collections.abc import AsyncIterator
from typing import Any

from runstead.client._async.upload import AsyncUpload
from runstead.client.sources import NamedSource
from runstead.wire.file import File, FileRequest
from tests.support.worlds import World

__all__ = ["blobs_of", "broken", "content_of", "form", "upload"]


def form(content: Any = b"abc", name: str = "a.txt", **fields: Any) -> AsyncUpload[FileRequest]:
    """The form of a file."""
    return AsyncUpload(FileRequest(**{"purpose": "assistants"} | fields), {"file": NamedSource(content, name)})


async def upload(here: World, content: Any = b"abc", name: str = "a.txt", **fields: Any) -> File:
    """A new file."""
    return await here.project.create_file(form(content, name, **fields))


async def content_of(here: World, file_id: str) -> bytes:
    """The content of a file."""
    content = await here.project.file_content(file_id)
    return b"".join([chunk async for chunk in content.read(0, content.size)])


async def blobs_of(here: World) -> list[str]:
    """The names of all blobs."""
    return [blob.name async for blob in here.adapters.blobs.names()]


async def broken(size: int, error: Exception) -> AsyncIterator[bytes]:
    """Bytes that break off."""
    yield bytes(size)
    raise error
