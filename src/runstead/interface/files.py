"""The interface of files."""

from typing import Protocol

from runstead.interface.page import PageOf
from runstead.interface.transfer import Upload
from runstead.wire.file import File, FileContent, FileDeleted, FileId, FileRequest
from runstead.wire.struct import SortOrder

__all__ = ["Files"]


class Files(Protocol):
    """Files: bytes for assistants to read, and what their tools have made.

    An unknown id, and that of a file that has expired, raises `NotFound`.
    """

    async def create_file(self, upload: Upload[FileRequest]) -> File:
        """Store a file.

        `BadRequest` if the purpose is not one of an upload's, or if the project's files have too many bytes;
        `TooLarge` if the file has more than 512 MB. Nothing is then stored.
        """
        ...

    async def get_file(self, file_id: FileId) -> File:
        """Return a file, without its content."""
        ...

    async def files(
        self,
        limit: int = 10_000,
        order: SortOrder = SortOrder.DESC,
        after: FileId | None = None,
        before: FileId | None = None,
        purpose: str | None = None,
    ) -> PageOf[File]:
        """List the files, newest first by default; with `purpose`, only those of this purpose.

        `limit` is from 1 to 10,000, and a page may have fewer files although there are more. `after` and `before` are
        ids, exclusive and relative to the order.
        """
        ...

    async def file_content(self, file_id: FileId) -> FileContent:
        """Return the content of a file, which is read when it is asked for."""
        ...

    async def delete_file(self, file_id: FileId) -> FileDeleted:
        """Delete a file and its content. No assistant or thread names it from then on."""
        ...
