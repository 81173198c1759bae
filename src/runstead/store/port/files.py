"""The port of files: the rows that say which file a blob is, and the blobs that are to be removed."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from runstead.wire.file import File, FileQuery
from runstead.wire.page import Page

__all__ = ["FileRow", "Files"]


class FileRow(Struct, frozen=True, kw_only=True):
    """A file, with the fields that are stored but not shown."""

    file: File
    blob: str
    """The name of its blob."""
    sha256: str
    """Of its content, in hexadecimal."""
    image_type: str | None = None
    """The media type of its content, if that is an image which models read."""

    @property
    def id(self) -> str:
        return self.file.id

    @property
    def created_at(self) -> int:
        return self.file.created_at


class Files(Protocol):
    """The files of all projects.

    A blob is written before its row, and removed after it: a row always has its blob. A file that has expired at `now`
    is found by `expired` alone.
    """

    async def get(self, project: str, file_id: str, now: int) -> FileRow | None: ...

    async def get_many(self, project: str, file_ids: Sequence[str], now: int) -> dict[str, FileRow]:
        """Those of these files that exist, by id. For a few hundred ids at most."""
        ...

    async def insert(self, project: str, row: FileRow) -> int:
        """Add a file. Returns the bytes that all files of the project have from then on, expired ones too.

        Until the transaction ends no other one adds a file to the project, or deletes one.
        """
        ...

    async def delete(self, project: str, file_id: str, now: int) -> FileRow | None:
        """Delete a file, expired or not, and mark its blob for removal. Returns what it was; None if there is none."""
        ...

    async def page(self, project: str, query: FileQuery, now: int) -> Page[File] | None: ...

    async def usage(self, project: str) -> int:
        """The bytes that all files of a project have together, as it is kept up to date by `insert` and `delete`."""
        ...

    async def sum_of_sizes(self, project: str) -> int:
        """The same, summed over the rows: for the checker."""
        ...

    async def audit(self, after: str, limit: int) -> list[tuple[str, FileRow]]:
        """Files of all projects, each with its project, in the order of their ids, after this one."""
        ...

    async def expired(self, now: int, limit: int) -> list[tuple[str, str]]:
        """Project and id of files that have expired, the oldest expiry first."""
        ...

    async def named(self, blobs: Sequence[str]) -> set[str]:
        """Those of these blobs that a file has."""
        ...

    async def mark_blob(self, blob: str, now: int) -> None:
        """Mark a blob for removal. It is removed once the transaction is committed."""
        ...

    async def marked_blobs(self, limit: int) -> list[str]:
        """Blobs that are marked for removal, the oldest mark first."""
        ...

    async def unmark_blobs(self, blobs: Sequence[str]) -> None:
        """These blobs were removed."""
        ...
