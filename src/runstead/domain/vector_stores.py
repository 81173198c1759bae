"""New and updated vector stores, and the files in them."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from runstead.domain.creation import value_or
from runstead.wire.chunking import DEFAULT_CHUNKING, AutoChunking, Chunking, StaticChunking
from runstead.wire.error import BadRequest
from runstead.wire.struct import UNSET, UnsetType
from runstead.wire.vector_store import (
    FileBatchRequest,
    StoreExpiry,
    StoreFile,
    StoreFileRequest,
    VectorStore,
    VectorStoreRequest,
    VectorStoreUpdate,
)

__all__ = [
    "MAX_FILES",
    "added",
    "batch_requests",
    "check_room",
    "first_requests",
    "new_store",
    "stored",
    "stored_attributes",
    "updated_store",
]

MAX_FILES = 10_000
"""Files of one vector store."""
_DAY = 86_400
_EXACT = 2**53
"""Whole numbers up to here are exact as floats."""


def new_store(request: VectorStoreRequest, id: str, now: int) -> VectorStore:
    """The vector store that a request creates, without its files."""
    expires_after = value_or(request.expires_after, None)
    return VectorStore(
        id=id,
        created_at=now,
        name=value_or(request.name, None),
        description=value_or(request.description, None),
        expires_after=expires_after,
        expires_at=_expiry(now, expires_after),
        last_active_at=now,
        metadata=value_or(request.metadata, {}),
    )


def updated_store(before: VectorStore, request: VectorStoreUpdate, now: int) -> VectorStore:
    """The vector store with the given fields changed. An update counts as a use."""
    after = replace(before, last_active_at=now)
    if request.name is not UNSET:
        after = replace(after, name=request.name)
    if request.metadata is not UNSET:
        after = replace(after, metadata=request.metadata or {})
    if request.expires_after is not UNSET:
        after = replace(after, expires_after=request.expires_after)
    return replace(after, expires_at=_expiry(now, after.expires_after))


def first_requests(request: VectorStoreRequest, place: str = "") -> Sequence[StoreFileRequest]:
    """The files that a new vector store begins with. `place` comes before the names of parameters in errors."""
    strategy = request.chunking_strategy
    _check_chunking(strategy, f"{place}chunking_strategy")
    file_ids = value_or(request.file_ids, [])
    return [StoreFileRequest(file_id=file_id, chunking_strategy=strategy) for file_id in dict.fromkeys(file_ids)]


def batch_requests(request: FileBatchRequest) -> Sequence[StoreFileRequest]:
    """The files of a batch, each once. `BadRequest` unless the request has either `file_ids` or `files`."""
    file_ids, files = value_or(request.file_ids, []), value_or(request.files, [])
    if bool(file_ids) == bool(files):
        raise BadRequest(
            "Invalid 'file_ids': give either 'file_ids' or 'files'.", param="file_ids", code="invalid_value"
        )
    _check_chunking(request.chunking_strategy, "chunking_strategy")
    for index, each in enumerate(files):
        _check_chunking(each.chunking_strategy, f"files[{index}].chunking_strategy")
    shared = [
        StoreFileRequest(file_id=file_id, attributes=request.attributes, chunking_strategy=request.chunking_strategy)
        for file_id in file_ids
    ]
    return list({each.file_id: each for each in [*shared, *files]}.values())


def stored(store_id: str, request: StoreFileRequest, now: int) -> StoreFile:
    """The file as a vector store begins to index it."""
    _check_chunking(request.chunking_strategy, "chunking_strategy")
    return StoreFile(
        id=request.file_id,
        created_at=now,
        vector_store_id=store_id,
        chunking_strategy=_sizes(request.chunking_strategy),
        attributes=stored_attributes(value_or(request.attributes, {})),
    )


def stored_attributes(attributes: Mapping[str, str | bool | float] | None) -> dict[str, str | bool | int | float]:
    """The attributes as they are stored and shown: a whole number without a fraction."""
    return {key: _shown(value) for key, value in (attributes or {}).items()}


def added(before: StoreFile | None, new: StoreFile, request: StoreFileRequest) -> StoreFile:
    """The file after it was added to a store that has it as `before`: indexed again only where that is needed."""
    if before is None:
        return new
    attributes = before.attributes if request.attributes is UNSET else new.attributes
    fresh = before.status == "completed" and before.chunking_strategy == new.chunking_strategy
    if fresh and attributes == before.attributes:
        return before
    return replace(new, created_at=before.created_at, attributes=attributes)


def check_room(store: VectorStore, new: int) -> None:
    """A vector store has at most `MAX_FILES` files."""
    if store.file_counts.total + new > MAX_FILES:
        raise BadRequest(
            f"Vector store '{store.id}' would have {store.file_counts.total + new:,} files. At most {MAX_FILES:,} are "
            "allowed.",
            code="invalid_value",
        )


def _shown(value: str | bool | float) -> str | bool | int | float:
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT else value


def _check_chunking(strategy: Chunking | None | UnsetType, param: str) -> None:
    if strategy is UNSET or strategy is None or isinstance(strategy, AutoChunking):
        return
    sizes = strategy.static
    if sizes.chunk_overlap_tokens * 2 > sizes.max_chunk_size_tokens:
        param += ".static.chunk_overlap_tokens"
        raise BadRequest(
            f"Invalid '{param}': it may be at most half of 'max_chunk_size_tokens'.", param=param, code="invalid_value"
        )


def _sizes(strategy: Chunking | None | UnsetType) -> StaticChunking:
    if strategy is UNSET or strategy is None or isinstance(strategy, AutoChunking):
        return DEFAULT_CHUNKING
    return StaticChunking(static=strategy.static)


def _expiry(now: int, expires_after: StoreExpiry | None) -> int | None:
    return None if expires_after is None else now + expires_after.days * _DAY
