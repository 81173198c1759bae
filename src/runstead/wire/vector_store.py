"""A vector store: files whose text can be searched."""

from typing import Annotated, Literal, TypeAlias

from msgspec import UNSET, Meta, UnsetType, field

from runstead.wire.chunking import Chunking, StaticChunking
from runstead.wire.file import FileId
from runstead.wire.page import ListQuery
from runstead.wire.struct import Metadata, Object, Request, Timestamp

__all__ = [
    "Attributes",
    "BatchId",
    "FileBatch",
    "FileBatchRequest",
    "FileCounts",
    "StoreExpiry",
    "StoreFile",
    "StoreFileDeleted",
    "StoreFileError",
    "StoreFileQuery",
    "StoreFileRequest",
    "StoreFileStatus",
    "StoreFileUpdate",
    "StoreStatus",
    "VectorStore",
    "VectorStoreDeleted",
    "VectorStoreId",
    "VectorStoreRequest",
    "VectorStoreUpdate",
]

VectorStoreId: TypeAlias = str
"""`vs_` and 24 letters or digits."""
BatchId: TypeAlias = str
"""`vsfb_` and 24 letters or digits."""
StoreStatus: TypeAlias = Literal["expired", "in_progress", "completed"]
StoreFileStatus: TypeAlias = Literal["in_progress", "completed", "cancelled", "failed"]
Attributes: TypeAlias = Annotated[
    dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=512)] | bool | float], Meta(max_length=16)
]
"""At most 16 pairs, keys of at most 64 characters; values are numbers, booleans, or at most 512 characters."""
_FileIds: TypeAlias = Annotated[list[FileId], Meta(min_length=1, max_length=2000)]


class FileCounts(Object, frozen=True, kw_only=True):
    """Files by status."""

    in_progress: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    total: int = 0


class StoreExpiry(Request, frozen=True, kw_only=True):
    """When a vector store expires: so many days after it was last used."""

    anchor: Literal["last_active_at"]
    days: Annotated[int, Meta(ge=1, le=365)]


class VectorStore(Object, frozen=True, kw_only=True):
    """A vector store, as the server returns it. `status` is `in_progress` while one of its files is."""

    id: VectorStoreId
    object: Literal["vector_store"] = "vector_store"
    created_at: Timestamp
    name: str | None = None
    description: str | None = None
    usage_bytes: int = 0
    """Bytes of the text that is searched, and of its vectors."""
    file_counts: FileCounts = FileCounts()
    status: StoreStatus = "completed"
    expires_after: StoreExpiry | None = None
    expires_at: Timestamp | None = None
    last_active_at: Timestamp
    metadata: dict[str, str] = field(default_factory=dict)


class VectorStoreRequest(Request, frozen=True, kw_only=True):
    """Creates a vector store, with files."""

    file_ids: Annotated[list[FileId], Meta(max_length=500)] | None | UnsetType = UNSET
    name: Annotated[str, Meta(max_length=256)] | None | UnsetType = UNSET
    description: Annotated[str, Meta(max_length=512)] | None | UnsetType = UNSET
    expires_after: StoreExpiry | None | UnsetType = UNSET
    chunking_strategy: Chunking | None | UnsetType = UNSET
    """For `file_ids`. The default is `auto`."""
    metadata: Metadata | None | UnsetType = UNSET


class VectorStoreUpdate(Request, frozen=True, kw_only=True):
    """Updates a vector store. An absent field keeps its value; `None` clears it."""

    name: Annotated[str, Meta(max_length=256)] | None | UnsetType = UNSET
    expires_after: StoreExpiry | None | UnsetType = UNSET
    metadata: Metadata | None | UnsetType = UNSET


class VectorStoreDeleted(Object, frozen=True, kw_only=True):
    """A vector store was deleted. Its files remain."""

    id: VectorStoreId
    object: Literal["vector_store.deleted"] = "vector_store.deleted"
    deleted: bool = True


class StoreFileError(Object, frozen=True, kw_only=True):
    """Why a file cannot be searched."""

    code: Literal["server_error", "unsupported_file", "invalid_file"]
    message: str


class StoreFile(Object, frozen=True, kw_only=True):
    """A file of a vector store. `id` is that of the file."""

    id: FileId
    object: Literal["vector_store.file"] = "vector_store.file"
    usage_bytes: int = 0
    """Bytes of its text and its vectors; 0 until it is completed."""
    created_at: Timestamp
    vector_store_id: VectorStoreId
    status: StoreFileStatus = "in_progress"
    last_error: StoreFileError | None = None
    chunking_strategy: StaticChunking
    attributes: dict[str, str | bool | int | float] = field(default_factory=dict)


class StoreFileRequest(Request, frozen=True, kw_only=True):
    """Adds a file to a vector store."""

    file_id: FileId
    attributes: Attributes | None | UnsetType = UNSET
    chunking_strategy: Chunking | None | UnsetType = UNSET


class StoreFileUpdate(Request, frozen=True, kw_only=True):
    """Replaces the attributes of a file. `None` clears them."""

    attributes: Attributes | None


class StoreFileQuery(ListQuery, frozen=True, kw_only=True):
    """Which files; with `filter`, only those with this status."""

    filter: StoreFileStatus | None = None


class StoreFileDeleted(Object, frozen=True, kw_only=True):
    """A file was removed from a vector store. The file itself remains."""

    id: FileId
    object: Literal["vector_store.file.deleted"] = "vector_store.file.deleted"
    deleted: bool = True


class FileBatchRequest(Request, frozen=True, kw_only=True):
    """Adds files to a vector store: `file_ids` that share attributes and chunking, or `files` with their own."""

    file_ids: _FileIds | None | UnsetType = UNSET
    files: Annotated[list[StoreFileRequest], Meta(min_length=1, max_length=2000)] | None | UnsetType = UNSET
    attributes: Attributes | None | UnsetType = UNSET
    chunking_strategy: Chunking | None | UnsetType = UNSET


class FileBatch(Object, frozen=True, kw_only=True):
    """Files that were added together."""

    id: BatchId
    object: Literal["vector_store.file_batch"] = "vector_store.file_batch"
    created_at: Timestamp
    vector_store_id: VectorStoreId
    status: StoreFileStatus = "in_progress"
    file_counts: FileCounts
