"""The calls of the endpoints of vector stores: arguments, request and reply."""

from collections.abc import Mapping
from typing import Any

from runstead.wire.chunking import StaticChunkingRequest, StaticSizes
from runstead.wire.filter import AndFilter, EqualFilter, InFilter
from runstead.wire.search import SearchRanking, SearchRequest
from runstead.wire.struct import SortOrder
from runstead.wire.vector_store import (
    FileBatchRequest,
    StoreExpiry,
    StoreFileRequest,
    VectorStoreRequest,
    VectorStoreUpdate,
)
from tests.client import samples
from tests.client.samples import BATCH_ID, FILE_ID, STORE_ID

__all__ = ["CASES"]

STORE = {"vector_store_id": STORE_ID}
FILE = STORE | {"file_id": FILE_ID}
BATCH = STORE | {"batch_id": BATCH_ID}
STORE_PATH = f"/vector_stores/{STORE_ID}"
FILES_PATH = f"{STORE_PATH}/files"
FILE_PATH = f"{FILES_PATH}/{FILE_ID}"
BATCHES_PATH = f"{STORE_PATH}/file_batches"
BATCH_PATH = f"{BATCHES_PATH}/{BATCH_ID}"
CHUNKING = StaticChunkingRequest(static=StaticSizes(max_chunk_size_tokens=100, chunk_overlap_tokens=0))
CHUNKING_SENT = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 0}}
FOUND = {
    "file_id": FILE_ID,
    "filename": "a.txt",
    "score": 0.5,
    "attributes": {"year": 2026},
    "content": [{"type": "text", "text": "found"}],
}
PAGE = {"has_more": False, "next_page": None}

CASES: Mapping[str, tuple[dict[str, Any], str, str, Any, Any]] = {
    "create_vector_store": (
        {
            "request": VectorStoreRequest(
                name="n",
                file_ids=[FILE_ID],
                expires_after=StoreExpiry(anchor="last_active_at", days=7),
                chunking_strategy=CHUNKING,
            )
        },
        "POST",
        "/vector_stores",
        {
            "name": "n",
            "file_ids": [FILE_ID],
            "expires_after": {"anchor": "last_active_at", "days": 7},
            "chunking_strategy": CHUNKING_SENT,
        },
        samples.vector_store(),
    ),
    "vector_stores": (
        {"limit": 5, "order": SortOrder.ASC},
        "GET",
        "/vector_stores?limit=5&order=asc",
        None,
        samples.page(samples.vector_store()),
    ),
    "get_vector_store": (STORE, "GET", STORE_PATH, None, samples.vector_store()),
    "update_vector_store": (
        STORE | {"request": VectorStoreUpdate(name=None, expires_after=None)},
        "POST",
        STORE_PATH,
        {"name": None, "expires_after": None},
        samples.vector_store(),
    ),
    "delete_vector_store": (STORE, "DELETE", STORE_PATH, None, samples.deleted(STORE_ID, "vector_store")),
    "search_vector_store": (
        STORE
        | {
            "request": SearchRequest(
                query=["a", "b"],
                rewrite_query=True,
                max_num_results=3,
                filters=AndFilter(filters=[EqualFilter(key="k", value=True), InFilter(key="y", value=[1, "x"])]),
                ranking_options=SearchRanking(score_threshold=0.25),
            )
        },
        "POST",
        f"{STORE_PATH}/search",
        {
            "query": ["a", "b"],
            "rewrite_query": True,
            "max_num_results": 3,
            "filters": {
                "type": "and",
                "filters": [
                    {"type": "eq", "key": "k", "value": True},
                    {"type": "in", "key": "y", "value": [1, "x"]},
                ],
            },
            "ranking_options": {"ranker": "auto", "score_threshold": 0.25},
        },
        {"object": "vector_store.search_results.page", "search_query": ["a", "b"], "data": [FOUND]} | PAGE,
    ),
    "add_store_file": (
        STORE | {"request": StoreFileRequest(file_id=FILE_ID, attributes={"year": 2026, "draft": False})},
        "POST",
        FILES_PATH,
        {"file_id": FILE_ID, "attributes": {"year": 2026, "draft": False}},
        samples.store_file("in_progress"),
    ),
    "store_files": (
        STORE | {"filter": "failed", "before": FILE_ID},
        "GET",
        f"{FILES_PATH}?before={FILE_ID}&filter=failed",
        None,
        samples.page(samples.store_file("failed", last_error={"code": "invalid_file", "message": "m"})),
    ),
    "get_store_file": (FILE, "GET", FILE_PATH, None, samples.store_file()),
    "update_store_file": (
        FILE | {"attributes": {"a": 1.5}},
        "POST",
        FILE_PATH,
        {"attributes": {"a": 1.5}},
        samples.store_file(attributes={"a": 1.5}),
    ),
    "remove_store_file": (FILE, "DELETE", FILE_PATH, None, samples.deleted(FILE_ID, "vector_store.file")),
    "store_file_content": (
        FILE,
        "GET",
        f"{FILE_PATH}/content",
        None,
        {"object": "vector_store.file_content.page", "data": [{"type": "text", "text": "all of it"}]} | PAGE,
    ),
    "create_file_batch": (
        STORE | {"request": FileBatchRequest(files=[StoreFileRequest(file_id=FILE_ID)])},
        "POST",
        BATCHES_PATH,
        {"files": [{"file_id": FILE_ID}]},
        samples.file_batch("in_progress"),
    ),
    "get_file_batch": (BATCH, "GET", BATCH_PATH, None, samples.file_batch()),
    "cancel_file_batch": (BATCH, "POST", f"{BATCH_PATH}/cancel", None, samples.file_batch("cancelled")),
    "batch_files": (
        BATCH | {"filter": "completed", "limit": 1},
        "GET",
        f"{BATCH_PATH}/files?limit=1&filter=completed",
        None,
        samples.page(samples.store_file()),
    ),
}
