"""Sources of an upload: bytes, the file at a path, an open file, or an iterable of bytes."""

import mimetypes
import os
from collections.abc import AsyncIterable, Iterable
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeAlias, TypeGuard

__all__ = ["CHUNK", "NamedSource", "OpenedFile", "Source", "is_file", "opened"]

CHUNK = 64 * 1024
"""Bytes that are read from a file at a time."""

Source: TypeAlias = bytes | PathLike[str] | BinaryIO | Iterable[bytes]
"""A source for the sync client. The async client takes async iterables too."""


class NamedSource(NamedTuple):
    """A source with the name and the media type that the server is given for it."""

    content: Any
    """A `Source`, or an async iterable."""
    file_name: str | None = None
    """By default the name of the path or of the open file, else `file`."""
    content_type: str | None = None
    """By default what the file name's extension stands for."""


class OpenedFile(NamedTuple):
    """The name and size of a source, known before it is read."""

    content: Any
    file_name: str
    content_type: str
    size: int | None
    """In bytes; None if only reading tells it."""
    start: int | None
    """The position from which an open file is read, each time."""

    @property
    def rereadable(self) -> bool:
        """It can be read once more, for a retry."""
        return isinstance(self.content, bytes | PathLike) or self.start is not None


def is_file(content: Any) -> TypeGuard[BinaryIO]:
    """An open file."""
    return hasattr(content, "read")


def opened(source: Any) -> OpenedFile:
    """The name and size of a source. `OSError` if the file at a path cannot be opened."""
    content, name, kind = source if isinstance(source, NamedSource) else NamedSource(source)
    size, start = None, None
    if isinstance(content, bytes):
        size = len(content)
    elif isinstance(content, PathLike):
        path = Path(content)
        size, name = path.stat().st_size, name or path.name
    elif is_file(content):
        own = getattr(content, "name", None)
        name = name or (os.path.basename(own) if isinstance(own, str) else None)  # noqa: PTH119 (it may be no path)
        if content.seekable():
            start = content.tell()
            size = content.seek(0, os.SEEK_END) - start
            content.seek(start)
    elif isinstance(content, str) or not isinstance(content, Iterable | AsyncIterable):
        raise TypeError(f"Cannot upload {content!r:.80}: give bytes, a path, an open binary file or an iterable.")
    name = name or "file"
    return OpenedFile(content, name, kind or mimetypes.guess_type(name)[0] or "application/octet-stream", size, start)
