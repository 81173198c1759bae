"""The calls for vector stores."""

from runstead.client._async.calls import AsyncCalls
from runstead.client._async.pages import AsyncPage
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

__all__ = ["AsyncVectorStores"]


class AsyncVectorStores(AsyncCalls):
    """`runstead.interface.VectorStores`."""

    async def create_vector_store(self, request: VectorStoreRequest | None = None) -> VectorStore:
        return await self._transport.call(endpoint.CREATE_VECTOR_STORE, {}, body=request or VectorStoreRequest())

    async def get_vector_store(self, vector_store_id: VectorStoreId) -> VectorStore:
        return await self._transport.call(endpoint.GET_VECTOR_STORE, _store(vector_store_id))

    async def update_vector_store(self, vector_store_id: VectorStoreId, request: VectorStoreUpdate) -> VectorStore:
        return await self._transport.call(endpoint.UPDATE_VECTOR_STORE, _store(vector_store_id), body=request)

    async def delete_vector_store(self, vector_store_id: VectorStoreId) -> VectorStoreDeleted:
        return await self._transport.call(endpoint.DELETE_VECTOR_STORE, _store(vector_store_id))

    async def vector_stores(
        self,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: VectorStoreId | None = None,
        before: VectorStoreId | None = None,
    ) -> AsyncPage[VectorStore]:
        query = ListQuery(limit=limit, order=order, after=after, before=before)
        return await self._page(endpoint.VECTOR_STORES, {}, query)

    async def search_vector_store(self, vector_store_id: VectorStoreId, request: SearchRequest) -> SearchResultsPage:
        return await self._transport.call(endpoint.SEARCH_VECTOR_STORE, _store(vector_store_id), body=request)

    async def add_store_file(self, vector_store_id: VectorStoreId, request: StoreFileRequest) -> StoreFile:
        return await self._transport.call(endpoint.ADD_STORE_FILE, _store(vector_store_id), body=request)

    async def get_store_file(self, vector_store_id: VectorStoreId, file_id: FileId) -> StoreFile:
        return await self._transport.call(endpoint.GET_STORE_FILE, _file(vector_store_id, file_id))

    async def update_store_file(
        self, vector_store_id: VectorStoreId, file_id: FileId, attributes: Attributes | None
    ) -> StoreFile:
        update = StoreFileUpdate(attributes=attributes)
        return await self._transport.call(endpoint.UPDATE_STORE_FILE, _file(vector_store_id, file_id), body=update)

    async def remove_store_file(self, vector_store_id: VectorStoreId, file_id: FileId) -> StoreFileDeleted:
        return await self._transport.call(endpoint.REMOVE_STORE_FILE, _file(vector_store_id, file_id))

    async def store_files(
        self,
        vector_store_id: VectorStoreId,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: FileId | None = None,
        before: FileId | None = None,
        filter: StoreFileStatus | None = None,
    ) -> AsyncPage[StoreFile]:
        query = StoreFileQuery(limit=limit, order=order, after=after, before=before, filter=filter)
        return await self._page(endpoint.STORE_FILES, _store(vector_store_id), query)

    async def store_file_content(self, vector_store_id: VectorStoreId, file_id: FileId) -> FileContentPage:
        return await self._transport.call(endpoint.STORE_FILE_CONTENT, _file(vector_store_id, file_id))

    async def create_file_batch(self, vector_store_id: VectorStoreId, request: FileBatchRequest) -> FileBatch:
        return await self._transport.call(endpoint.CREATE_FILE_BATCH, _store(vector_store_id), body=request)

    async def get_file_batch(self, vector_store_id: VectorStoreId, batch_id: BatchId) -> FileBatch:
        return await self._transport.call(endpoint.GET_FILE_BATCH, _batch(vector_store_id, batch_id))

    async def cancel_file_batch(self, vector_store_id: VectorStoreId, batch_id: BatchId) -> FileBatch:
        return await self._transport.call(endpoint.CANCEL_FILE_BATCH, _batch(vector_store_id, batch_id))

    async def batch_files(
        self,
        vector_store_id: VectorStoreId,
        batch_id: BatchId,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: FileId | None = None,
        before: FileId | None = None,
        filter: StoreFileStatus | None = None,
    ) -> AsyncPage[StoreFile]:
        query = StoreFileQuery(limit=limit, order=order, after=after, before=before, filter=filter)
        return await self._page(endpoint.BATCH_FILES, _batch(vector_store_id, batch_id), query)


def _store(store_id: VectorStoreId) -> dict[str, str]:
    return {"vector_store_id": store_id}


def _file(store_id: VectorStoreId, file_id: FileId) -> dict[str, str]:
    return {"vector_store_id": store_id, "file_id": file_id}


def _batch(store_id: VectorStoreId, batch_id: BatchId) -> dict[str, str]:
    return {"vector_store_id": store_id, "batch_id": batch_id}
