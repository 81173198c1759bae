"""Forms with files to send, and how they travel."""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Generic, TypeVar

from runstead.client.multipart import closing, field_parts, file_head
from runstead.client.reading_async import chunks_of
from runstead.client.sources import OpenedFile, opened
from runstead.wire.error import BadRequest
from runstead.wire.struct import Request

__all__ = ["AsyncFormBody", "AsyncUpload", "AsyncUploadFile"]

B = TypeVar("B", bound=Request)


class AsyncUploadFile:
    """One file of an upload."""

    def __init__(self, name: str, file: OpenedFile, progress: Callable[[int], object] | None = None) -> None:
        self.name = name
        self.file_name = file.file_name
        self.content_type: str | None = file.content_type
        self.file = file
        self._progress = progress

    async def __aiter__(self) -> AsyncIterator[bytes]:
        sent = 0
        async for chunk in chunks_of(self.file):
            yield chunk
            sent += len(chunk)
            if self._progress is not None:
                self._progress(sent)


class AsyncUpload(Generic[B]):
    """A form to send: its fields, and its files by their names.

    A file is bytes, the path of one, an open binary file or an iterable of bytes, or a `NamedSource` of these. Files
    are read while they are sent. A call that takes an upload is retried only if all of its files can be read again:
    an iterable cannot, nor an open file without `seek`. `progress` is called with the bytes of a file that were sent.
    """

    def __init__(self, fields: B, files: Mapping[str, Any], progress: Callable[[int], object] | None = None) -> None:
        self.values = fields
        self.parts = [AsyncUploadFile(name, opened(source), progress) for name, source in files.items()]

    async def files(self) -> AsyncIterator[AsyncUploadFile]:
        for file in self.parts:
            yield file

    async def fields(self) -> B:
        return self.values


class AsyncFormBody(Generic[B]):
    """An upload as the body of a request."""

    def __init__(self, upload: AsyncUpload[B]) -> None:
        self._upload = upload
        self._boundary = os.urandom(16).hex().encode()
        self._start = field_parts(self._boundary, upload.values)
        self._heads = [file_head(self._boundary, each.name, each.file_name, each.content_type) for each in upload.parts]
        self.content_type = b"multipart/form-data; boundary=" + self._boundary
        self.rereadable = all(each.file.rereadable for each in upload.parts)
        """It can be sent once more."""
        sizes = [each.file.size for each in upload.parts]
        self.size = None if None in sizes else sum(size or 0 for size in sizes) + self._frame_size()
        """In bytes, if it is known."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._start
        for head, file in zip(self._heads, self._upload.parts, strict=True):
            yield head
            async for chunk in _exactly(file):
                yield chunk
            yield b"\r\n"
        yield closing(self._boundary)

    def _frame_size(self) -> int:
        """The bytes that are not content of files."""
        heads = sum(len(head) + len(b"\r\n") for head in self._heads)
        return len(self._start) + heads + len(closing(self._boundary))


async def _exactly(part: AsyncUploadFile) -> AsyncIterator[bytes]:
    """The bytes of a file. `BadRequest` if its size differs from the one that the request has announced."""
    size, left = part.file.size, part.file.size
    async for chunk in part:
        left = None if left is None else left - len(chunk)
        if left is not None and left < 0:
            break
        yield chunk
    if left:
        raise BadRequest(f"The file {part.file_name!r} changed while it was sent: it had {size} bytes before.")
