"""The interface of vector stores."""

from typing import Protocol

from runstead.interface.page import PageOf
from runstead.wire.file import FileId
from runstead.wire.search import FileContentPage, SearchRequest, SearchResultsPage
from runstead.wire.struct import SortOrder
from runstead.wire.vector_store import (
    Attributes,
    BatchId,
    FileBatch,
    FileBatchRequest,
    StoreFile,
    StoreFileDeleted,
    StoreFileRequest,
    StoreFileStatus,
    VectorStore,
    VectorStoreDeleted,
    VectorStoreId,
    VectorStoreRequest,
    VectorStoreUpdate,
)

__all__ = ["VectorStores"]


class VectorStores(Protocol):
    """Vector stores: files whose text is searched by meaning and by words.

    An added file is read, cut into chunks and indexed afterwards; until then it is `in_progress`. An unknown id raises
    `NotFound`, an id of another kind `BadRequest`.
    """

    async def create_vector_store(self, request: VectorStoreRequest | None = None) -> VectorStore:
        """Create a vector store. `NotFound` if one of its files does not exist; then nothing is created."""
        ...

    async def get_vector_store(self, vector_store_id: VectorStoreId) -> VectorStore:
        """Return a vector store, with the number of its files by status."""
        ...

    async def update_vector_store(self, vector_store_id: VectorStoreId, request: VectorStoreUpdate) -> VectorStore:
        """Update a vector store. Absent fields keep their value."""
        ...

    async def delete_vector_store(self, vector_store_id: VectorStoreId) -> VectorStoreDeleted:
        """Delete a vector store. Its files remain."""
        ...

    async def vector_stores(
        self,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: VectorStoreId | None = None,
        before: VectorStoreId | None = None,
    ) -> PageOf[VectorStore]:
        """List the vector stores, newest first by default.

        `limit` is from 1 to 100. `after` and `before` are ids, exclusive and relative to the order.
        """
        ...

    async def search_vector_store(self, vector_store_id: VectorStoreId, request: SearchRequest) -> SearchResultsPage:
        """Search the completed files of a vector store. `BadRequest` if it has expired."""
        ...

    async def add_store_file(self, vector_store_id: VectorStoreId, request: StoreFileRequest) -> StoreFile:
        """Add a file to a vector store, and return it `in_progress`.

        A file that the store has already keeps its place. It is indexed again if it had failed, was cancelled, or is to
        be cut into other chunks. `NotFound` if the file does not exist, `BadRequest` if the store has 10,000 files.
        """
        ...

    async def get_store_file(self, vector_store_id: VectorStoreId, file_id: FileId) -> StoreFile:
        """Return a file of a vector store, with the reason if it failed."""
        ...

    async def update_store_file(
        self, vector_store_id: VectorStoreId, file_id: FileId, attributes: Attributes | None
    ) -> StoreFile:
        """Replace the attributes of a file, by which searches filter."""
        ...

    async def remove_store_file(self, vector_store_id: VectorStoreId, file_id: FileId) -> StoreFileDeleted:
        """Remove a file from a vector store. The file itself remains."""
        ...

    async def store_files(
        self,
        vector_store_id: VectorStoreId,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: FileId | None = None,
        before: FileId | None = None,
        filter: StoreFileStatus | None = None,
    ) -> PageOf[StoreFile]:
        """List the files of a vector store, newest first by default; with `filter`, those with this status."""
        ...

    async def store_file_content(self, vector_store_id: VectorStoreId, file_id: FileId) -> FileContentPage:
        """Return the text of a completed file, as it was read from the document."""
        ...

    async def create_file_batch(self, vector_store_id: VectorStoreId, request: FileBatchRequest) -> FileBatch:
        """Add up to 2,000 files to a vector store. `NotFound` if one does not exist; then none is added."""
        ...

    async def get_file_batch(self, vector_store_id: VectorStoreId, batch_id: BatchId) -> FileBatch:
        """Return a batch, with the number of its files by status."""
        ...

    async def cancel_file_batch(self, vector_store_id: VectorStoreId, batch_id: BatchId) -> FileBatch:
        """Cancel the files of a batch that are in progress. A batch that is done stays as it is."""
        ...

    async def batch_files(
        self,
        vector_store_id: VectorStoreId,
        batch_id: BatchId,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: FileId | None = None,
        before: FileId | None = None,
        filter: StoreFileStatus | None = None,
    ) -> PageOf[StoreFile]:
        """List the files of a batch, newest first by default; with `filter`, those with this status."""
        ...
