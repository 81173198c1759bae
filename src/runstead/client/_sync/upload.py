# Generated from src/runstead/client/_async/upload.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""Forms with files to send, and how they travel."""

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from runstead.client.multipart import closing, field_parts, file_head
from runstead.client.reading_sync import chunks_of
from runstead.client.sources import OpenedFile, opened
from runstead.wire.error import BadRequest
from runstead.wire.struct import Request

__all__ = ["FormBody", "Upload", "UploadFile"]

B = TypeVar("B", bound=Request)


class UploadFile:
    """One file of an upload."""

    def __init__(self, name: str, file: OpenedFile, progress: Callable[[int], object] | None = None) -> None:
        self.name = name
        self.file_name = file.file_name
        self.content_type: str | None = file.content_type
        self.file = file
        self._progress = progress

    def __iter__(self) -> Iterator[bytes]:
        sent = 0
        for chunk in chunks_of(self.file):
            yield chunk
            sent += len(chunk)
            if self._progress is not None:
                self._progress(sent)


class Upload(Generic[B]):
    """A form to send: its fields, and its files by their names.

    A file is bytes, the path of one, an open binary file or an iterable of bytes, or a `NamedSource` of these. Files
    are read while they are sent. A call that takes an upload is retried only if all of its files can be read again:
    an iterable cannot, nor an open file without `seek`. `progress` is called with the bytes of a file that were sent.
    """

    def __init__(self, fields: B, files: Mapping[str, Any], progress: Callable[[int], object] | None = None) -> None:
        self.values = fields
        self.parts = [UploadFile(name, opened(source), progress) for name, source in files.items()]

    def files(self) -> Iterator[UploadFile]:
        yield from self.parts

    def fields(self) -> B:
        return self.values


class FormBody(Generic[B]):
    """An upload as the body of a request."""

    def __init__(self, upload: Upload[B]) -> None:
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

    def __iter__(self) -> Iterator[bytes]:
        yield self._start
        for head, file in zip(self._heads, self._upload.parts, strict=True):
            yield head
            yield from _exactly(file)
            yield b"\r\n"
        yield closing(self._boundary)

    def _frame_size(self) -> int:
        """The bytes that are not content of files."""
        heads = sum(len(head) + len(b"\r\n") for head in self._heads)
        return len(self._start) + heads + len(closing(self._boundary))


def _exactly(part: UploadFile) -> Iterator[bytes]:
    """The bytes of a file. `BadRequest` if its size differs from the one that the request has announced."""
    size, left = part.file.size, part.file.size
    for chunk in part:
        left = None if left is None else left - len(chunk)
        if left is not None and left < 0:
            break
        yield chunk
    if left:
        raise BadRequest(f"The file {part.file_name!r} changed while it was sent: it had {size} bytes before.")
