"""A file: bytes that a client uploaded, or that a tool made, for assistants to read."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from runstead.wire.page import ListQuery
from runstead.wire.struct import Object, Request, Timestamp

__all__ = [
    "MAX_FILE_SIZE",
    "File",
    "FileContent",
    "FileDeleted",
    "FileExpiry",
    "FileId",
    "FileQuery",
    "FileRequest",
    "FileStatus",
]

FileId: TypeAlias = str
"""`file-` and 22 letters or digits."""
FileStatus: TypeAlias = Literal["uploaded", "processed", "error"]

MAX_FILE_SIZE = 512 * 1024 * 1024
"""Bytes of the largest file."""


class File(Object, frozen=True, kw_only=True):
    """A file, without its content."""

    id: FileId
    object: Literal["file"] = "file"
    bytes: int
    created_at: Timestamp
    expires_at: Timestamp | None = None
    filename: str
    """The name that the sender gave the file, without folders."""
    purpose: str
    """One of those of an upload, or `assistants_output` for a file that a tool made."""
    status: FileStatus = "processed"
    status_details: str | None = None


class FileContent(Struct, frozen=True, kw_only=True):
    """The content of a file, ready to be read. It is never whole in memory."""

    read: Callable[[int, int], AsyncIterator[bytes]]
    """The bytes from one offset up to another, which is not included."""
    size: int
    content_type: str = "application/octet-stream"
    file_name: str | None = None


class FileExpiry(Request, frozen=True, kw_only=True):
    """When a file expires: so many seconds after it was created, from an hour to 30 days."""

    anchor: Literal["created_at"]
    seconds: Annotated[int, Meta(ge=3600, le=2_592_000)]


class FileRequest(Request, frozen=True, kw_only=True):
    """The fields of an upload beside its file."""

    purpose: str
    """`assistants`, `batch`, `fine-tune`, `vision`, `user_data` or `evals`."""
    expires_after: FileExpiry | UnsetType = UNSET
    """In a form its fields are named `expires_after[anchor]` and `expires_after[seconds]`. The default is never."""
    filename: str | UnsetType = UNSET
    """The name of the file, for senders that do not name it in its part, such as `azure-ai-agents`."""


class FileQuery(ListQuery, frozen=True, kw_only=True):
    """Which files; with `purpose`, only those of this purpose."""

    limit: Annotated[int, Meta(ge=1, le=10_000)] = 10_000
    purpose: str | None = None


class FileDeleted(Object, frozen=True, kw_only=True):
    """A file was deleted, with its content."""

    id: FileId
    object: Literal["file"] = "file"
    deleted: bool = True
