# Generated from src/runstead/client/_async/files.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""The calls for files."""

from collections.abc import Callable
from typing import Any

from runstead.client._sync.calls import Calls
from runstead.client._sync.download import Download
from runstead.client._sync.pages import Page
from runstead.client._sync.upload import Upload
from runstead.wire.endpoints import files as endpoint
from runstead.wire.file import File, FileDeleted, FileExpiry, FileId, FileQuery, FileRequest
from runstead.wire.struct import UNSET, SortOrder

__all__ = ["Files"]


class Files(Calls):
    """`runstead.interface.Files`, and `upload_file` for a single source."""

    def create_file(self, upload: Upload[FileRequest]) -> File:
        return self._transport.upload(endpoint.CREATE_FILE, {}, upload)

    def upload_file(
        self,
        source: Any,
        purpose: str = "assistants",
        *,
        expires_after: int | None = None,
        progress: Callable[[int], object] | None = None,
    ) -> File:
        """Upload the file at a path, an open binary file, bytes, or an iterable of bytes.

        A `NamedSource` gives it another name. It expires `expires_after` seconds after it was created. `progress` is
        called with the number of bytes that were sent so far; a retry begins again at zero.
        """
        expiry = UNSET if expires_after is None else FileExpiry(anchor="created_at", seconds=expires_after)
        fields = FileRequest(purpose=purpose, expires_after=expiry)
        return self.create_file(Upload(fields, {"file": source}, progress))

    def get_file(self, file_id: FileId) -> File:
        return self._transport.call(endpoint.GET_FILE, {"file_id": file_id})

    def files(
        self,
        limit: int = 10_000,
        order: SortOrder = SortOrder.DESC,
        after: FileId | None = None,
        before: FileId | None = None,
        purpose: str | None = None,
    ) -> Page[File]:
        query = FileQuery(limit=limit, order=order, after=after, before=before, purpose=purpose)
        return self._page(endpoint.FILES, {}, query)

    def file_content(self, file_id: FileId) -> Download:
        """The content of a file, as soon as it begins: iterate over it, `read` it, or `save` it to a path."""
        return self._transport.download(endpoint.FILE_CONTENT, {"file_id": file_id})

    def delete_file(self, file_id: FileId) -> FileDeleted:
        return self._transport.call(endpoint.DELETE_FILE, {"file_id": file_id})
