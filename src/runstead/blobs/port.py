"""The port of blobs: bytes under names that this server makes. A blob is written once and never changed."""

import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import NamedTuple, Protocol

__all__ = ["CHUNK", "BlobExists", "BlobMissing", "BlobTooLarge", "Blobs", "StoredBlob", "Written", "checked_name"]

CHUNK = 1024 * 1024
"""Bytes that are read, or written, at a time."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}", re.ASCII)
"""A name that is safe in paths and URLs."""


class BlobMissing(Exception):
    """There is no blob of this name."""


class BlobExists(Exception):
    """There is a blob of this name already."""


class BlobTooLarge(Exception):
    """A blob would have had more bytes than the writer allows. Nothing was written."""


class Written(NamedTuple):
    """A blob that was written."""

    size: int
    """In bytes."""
    sha256: str
    """Of its bytes, in hexadecimal."""


class StoredBlob(NamedTuple):
    """A blob in a list."""

    name: str
    modified_at: float
    """Unix time at which it was written, by the clock of the place where it is stored."""


class Blobs(Protocol):
    """A place for blobs. Names consist of letters, digits, `-` and `_`; another name is a `ValueError`.

    Every method but `names` raises `Unreachable` when the place is away or full: nothing was written, and a later try
    may succeed.
    """

    @property
    def shared(self) -> bool:
        """Processes on other machines see the same blobs."""
        ...

    async def start(self) -> None:
        """Open the place. `RunsteadError` if it cannot be used."""
        ...

    async def stop(self) -> None: ...

    async def write(self, name: str, chunks: AsyncIterator[bytes], *, limit: int) -> Written:
        """Write a blob: whole, or not at all, even if `chunks` raises or the process is killed.

        `BlobTooLarge` as soon as there are more than `limit` bytes, `BlobExists` if the name is taken.
        """
        ...

    def read(self, name: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to `end`, which is not included, in chunks. `BlobMissing` if there is none."""
        ...

    def open_local(self, name: str) -> AbstractAsyncContextManager[Path]:
        """A file of this machine with the blob's bytes, only to be read, and only while inside. `BlobMissing`.

        It may be the stored file itself, or a temporary copy.
        """
        ...

    async def size(self, name: str) -> int:
        """The bytes of a blob. `BlobMissing` if there is none."""
        ...

    async def delete(self, name: str) -> None:
        """Delete a blob, if there is one. A reader that has begun may read on, or get `BlobMissing`."""
        ...

    async def discard_unfinished(self, before: float) -> None:
        """Remove the remains of interrupted writes that are older than this Unix time."""
        ...

    def names(self, prefix: str = "") -> AsyncIterator[StoredBlob]:
        """All blobs whose name begins with `prefix`, in any order. One that is written or deleted meanwhile may be
        among them or not.
        """
        ...


def checked_name(name: str) -> str:
    """The name of a blob itself. `ValueError` if it could mean another place."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"no blob can have the name {name[:64]!r}")
    return name
