# Generated from src/runstead/client/_async/vector_stores.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""The calls for vector stores."""

from runstead.client._sync.calls import Calls
from runstead.client._sync.pages import Page
from runstead.wire.endpoints import vector_stores as endpoint
from runstead.wire.file import FileId
from runstead.wire.page import ListQuery
from runstead.wire.search import FileContentPage, SearchRequest, SearchResultsPage
from runstead.wire.struct import SortOrder
from runstead.wire.vector_store import (
    Attributes,
    BatchId,
    FileBatch,
    FileBatchRequest,
    StoreFile,
    StoreFileDeleted,
    StoreFileQuery,
    StoreFileRequest,
    StoreFileStatus,
    StoreFileUpdate,
    VectorStore,
    VectorStoreDeleted,
    VectorStoreId,
    VectorStoreRequest,
    VectorStoreUpdate,
)

__all__ = ["VectorStores"]


class VectorStores(Calls):
    """`runstead.interface.VectorStores`."""

    def create_vector_store(self, request: VectorStoreRequest | None = None) -> VectorStore:
        return self._transport.call(endpoint.CREATE_VECTOR_STORE, {}, body=request or VectorStoreRequest())

    def get_vector_store(self, vector_store_id: VectorStoreId) -> VectorStore:
        return self._transport.call(endpoint.GET_VECTOR_STORE, _store(vector_store_id))

    def update_vector_store(self, vector_store_id: VectorStoreId, request: VectorStoreUpdate) -> VectorStore:
        return self._transport.call(endpoint.UPDATE_VECTOR_STORE, _store(vector_store_id), body=request)

    def delete_vector_store(self, vector_store_id: VectorStoreId) -> VectorStoreDeleted:
        return self._transport.call(endpoint.DELETE_VECTOR_STORE, _store(vector_store_id))

    def vector_stores(
        self,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: VectorStoreId | None = None,
        before: VectorStoreId | None = None,
    ) -> Page[VectorStore]:
        query = ListQuery(limit=limit, order=order, after=after, before=before)
        return self._page(endpoint.VECTOR_STORES, {}, query)

    def search_vector_store(self, vector_store_id: VectorStoreId, request: SearchRequest) -> SearchResultsPage:
        return self._transport.call(endpoint.SEARCH_VECTOR_STORE, _store(vector_store_id), body=request)

    def add_store_file(self, vector_store_id: VectorStoreId, request: StoreFileRequest) -> StoreFile:
        return self._transport.call(endpoint.ADD_STORE_FILE, _store(vector_store_id), body=request)

    def get_store_file(self, vector_store_id: VectorStoreId, file_id: FileId) -> StoreFile:
        return self._transport.call(endpoint.GET_STORE_FILE, _file(vector_store_id, file_id))

    def update_store_file(
        self, vector_store_id: VectorStoreId, file_id: FileId, attributes: Attributes | None
    ) -> StoreFile:
        update = StoreFileUpdate(attributes=attributes)
        return self._transport.call(endpoint.UPDATE_STORE_FILE, _file(vector_store_id, file_id), body=update)

    def remove_store_file(self, vector_store_id: VectorStoreId, file_id: FileId) -> StoreFileDeleted:
        return self._transport.call(endpoint.REMOVE_STORE_FILE, _file(vector_store_id, file_id))

    def store_files(
        self,
        vector_store_id: VectorStoreId,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: FileId | None = None,
        before: FileId | None = None,
        filter: StoreFileStatus | None = None,
    ) -> Page[StoreFile]:
        query = StoreFileQuery(limit=limit, order=order, after=after, before=before, filter=filter)
        return self._page(endpoint.STORE_FILES, _store(vector_store_id), query)

    def store_file_content(self, vector_store_id: VectorStoreId, file_id: FileId) -> FileContentPage:
        return self._transport.call(endpoint.STORE_FILE_CONTENT, _file(vector_store_id, file_id))

    def create_file_batch(self, vector_store_id: VectorStoreId, request: FileBatchRequest) -> FileBatch:
        return self._transport.call(endpoint.CREATE_FILE_BATCH, _store(vector_store_id), body=request)

    def get_file_batch(self, vector_store_id: VectorStoreId, batch_id: BatchId) -> FileBatch:
        return self._transport.call(endpoint.GET_FILE_BATCH, _batch(vector_store_id, batch_id))

    def cancel_file_batch(self, vector_store_id: VectorStoreId, batch_id: BatchId) -> FileBatch:
        return self._transport.call(endpoint.CANCEL_FILE_BATCH, _batch(vector_store_id, batch_id))

    def batch_files(
        self,
        vector_store_id: VectorStoreId,
        batch_id: BatchId,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: FileId | None = None,
        before: FileId | None = None,
        filter: StoreFileStatus | None = None,
    ) -> Page[StoreFile]:
        query = StoreFileQuery(limit=limit, order=order, after=after, before=before, filter=filter)
        return self._page(endpoint.BATCH_FILES, _batch(vector_store_id, batch_id), query)


def _store(store_id: VectorStoreId) -> dict[str, str]:
    return {"vector_store_id": store_id}


def _file(store_id: VectorStoreId, file_id: FileId) -> dict[str, str]:
    return {"vector_store_id": store_id, "file_id": file_id}


def _batch(store_id: VectorStoreId, batch_id: BatchId) -> dict[str, str]:
    return {"vector_store_id": store_id, "batch_id": batch_id}
