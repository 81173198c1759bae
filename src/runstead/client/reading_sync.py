"""The bytes of an upload's source."""

from collections.abc import Generator
from os import PathLike
from pathlib import Path
from typing import BinaryIO

from runstead.client.sources import CHUNK, OpenedFile, is_file

__all__ = ["chunks_of"]


def chunks_of(file: OpenedFile) -> Generator[bytes]:
    """The bytes of a source, from its start."""
    content = file.content
    if isinstance(content, bytes):
        yield content
    elif isinstance(content, PathLike):
        with Path(content).open("rb") as opened:
            yield from _read(opened)
    elif is_file(content):
        if file.start is not None:
            content.seek(file.start)
        yield from _read(content)
    else:
        yield from content


def _read(file: BinaryIO) -> Generator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk
