"""Files, over the store and the blobs."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from runstead.blobs.port import BlobMissing, BlobTooLarge, Written
from runstead.domain import files as rules
from runstead.domain import ids
from runstead.domain.images import HEAD, image_type
from runstead.engine.file_references import forget_file
from runstead.engine.resources.scope import Bound, page_of
from runstead.interface.transfer import FilePart, Upload
from runstead.store.port import FileRow, Tx
from runstead.wire.codec import request_errors
from runstead.wire.error import RunsteadError, ServerError, Unconfirmed
from runstead.wire.file import MAX_FILE_SIZE, File, FileContent, FileDeleted, FileQuery, FileRequest
from runstead.wire.page import Page
from runstead.wire.struct import UNSET, SortOrder

__all__ = ["CONTENT", "Files"]

_log = logging.getLogger("runstead.files")

CONTENT = "content"
"""The prefix of the blobs of files. Other blobs have other prefixes."""


class Files(Bound):
    """Implements `interface.Files`.

    A blob is written before its row, so a reader of a row finds the blob. What a crash leaves without a row is removed
    by a sweep.
    """

    async def create_file(self, upload: Upload[FileRequest]) -> File:
        room = await self._read(self._room, single=False)
        async with self._new_blob() as blob:
            name, written, head = "", None, bytearray()
            async for part in upload.files():
                name = part.file_name
                written = await self._write_blob(blob, _with_head(part, head), room)
            fields = await upload.fields()
            rules.check_purpose(fields.purpose)
            if written is None:
                raise request_errors.missing("file")
            name = rules.stored_name(name if fields.filename is UNSET else fields.filename)
            return await self._insert_file(blob, written, name, fields, image_type(head))

    async def get_file(self, file_id: str) -> File:
        return (await self._file_row(file_id)).file

    async def files(
        self,
        limit: int = 10_000,
        order: SortOrder = SortOrder.DESC,
        after: str | None = None,
        before: str | None = None,
        purpose: str | None = None,
    ) -> Page[File]:
        if purpose is not None:
            rules.check_purpose(purpose, (*rules.UPLOADED, rules.MADE_BY_TOOLS))
        query = FileQuery(limit=limit, order=order, after=after, before=before, purpose=purpose)
        now = self._adapters.now()
        return await self._read(
            lambda tx: page_of("file", query, lambda query: tx.files.page(self._project, query, now))
        )

    async def file_content(self, file_id: str) -> FileContent:
        row = await self._file_row(file_id)
        blobs = self._adapters.blobs
        try:
            size = await blobs.size(row.blob)
        except BlobMissing:
            _log.exception("a file has no content", extra={"file": file_id, "blob": row.blob})
            raise ServerError(f"The content of the file {file_id} is missing.") from None
        return FileContent(
            read=lambda start, end: blobs.read(row.blob, start, end), size=size, file_name=row.file.filename
        )

    async def delete_file(self, file_id: str) -> FileDeleted:
        now = self._adapters.now()

        async def work(tx: Tx) -> None:
            if not ids.is_id(file_id) or await tx.files.get(self._project, file_id, now) is None:
                raise rules.no_file(file_id)
            gone = await tx.files.delete(self._project, file_id, now)
            assert gone is not None  # it was there a moment ago, in this transaction
            await forget_file(tx, self._project, gone, now)

        await self._write(work)
        return FileDeleted(id=file_id)

    async def _file_row(self, file_id: str) -> FileRow:
        now = self._adapters.now()
        row = None
        if ids.is_id(file_id):
            row = await self._read(lambda tx: tx.files.get(self._project, file_id, now))
        if row is None:
            raise rules.no_file(file_id)
        return row

    async def _room(self, tx: Tx) -> "_Room | None":
        """The bytes that the project may still store; None without a limit. `BadRequest` if there are none."""
        limits = await tx.projects.limits(self._project, self._adapters.limits.of_project)
        if limits.max_file_bytes is None:
            return None
        left = limits.max_file_bytes - await tx.files.usage(self._project)
        if left <= 0:
            raise rules.quota_exceeded(limits.max_file_bytes)
        return _Room(left, limits.max_file_bytes)

    async def _write_blob(self, blob: str, content: AsyncIterator[bytes], room: "_Room | None") -> Written:
        """Write the content of a file while it arrives. What other uploads add meanwhile is counted at the end."""
        most = MAX_FILE_SIZE if room is None else min(MAX_FILE_SIZE, room.left)
        try:
            return await self._adapters.blobs.write(blob, content, limit=most)
        except BlobTooLarge:
            if room is not None and room.left < MAX_FILE_SIZE:
                raise rules.quota_exceeded(room.limit) from None
            raise rules.file_too_large() from None

    async def _insert_file(
        self, blob: str, written: Written, name: str, fields: FileRequest, image: str | None
    ) -> File:
        now = self._adapters.now()
        file = File(
            id=self._adapters.new_id("file"),
            bytes=written.size,
            created_at=now,
            expires_at=rules.expiry(fields, now),
            filename=name,
            purpose=fields.purpose,
        )
        row = FileRow(file=file, blob=blob, sha256=written.sha256, image_type=image)

        async def work(tx: Tx) -> File:
            total = await tx.files.insert(self._project, row)
            limits = await tx.projects.limits(self._project, self._adapters.limits.of_project)
            if limits.max_file_bytes is not None and total > limits.max_file_bytes:
                raise rules.quota_exceeded(limits.max_file_bytes)
            return file

        return await self._write(work)

    @asynccontextmanager
    async def _new_blob(self) -> AsyncIterator[str]:
        """The name of a new blob. It is deleted if the block fails, unless its row may have been written."""
        blob = self._adapters.new_id(CONTENT)
        try:
            yield blob
        except Unconfirmed:
            raise
        except BaseException:
            await asyncio.shield(self._discard_blob(blob))
            raise

    async def _discard_blob(self, blob: str) -> None:
        try:
            await self._adapters.blobs.delete(blob)
        except RunsteadError:
            _log.warning("a blob without a file stays until the next sweep", extra={"blob": blob}, exc_info=True)


async def _with_head(part: FilePart, head: bytearray) -> AsyncIterator[bytes]:
    """The bytes of a file; the first ones are also put into `head`."""
    async for chunk in part:
        if len(head) < HEAD:
            head += chunk[: HEAD - len(head)]
        yield chunk


class _Room(NamedTuple):
    """The bytes that a project may still upload, and those that all of its files may have."""

    left: int
    limit: int
