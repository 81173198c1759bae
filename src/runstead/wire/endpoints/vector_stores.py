"""The calls about vector stores, their files and batches of files."""

from runstead.wire.endpoints.endpoint import Endpoint, Nothing
from runstead.wire.page import ListQuery, Page
from runstead.wire.search import FileContentPage, SearchRequest, SearchResultsPage
from runstead.wire.vector_store import (
    FileBatch,
    FileBatchRequest,
    StoreFile,
    StoreFileDeleted,
    StoreFileQuery,
    StoreFileRequest,
    StoreFileUpdate,
    VectorStore,
    VectorStoreDeleted,
    VectorStoreRequest,
    VectorStoreUpdate,
)

__all__ = [
    "ADD_STORE_FILE",
    "BATCH_FILES",
    "CANCEL_FILE_BATCH",
    "CREATE_FILE_BATCH",
    "CREATE_VECTOR_STORE",
    "DELETE_VECTOR_STORE",
    "GET_FILE_BATCH",
    "GET_STORE_FILE",
    "GET_VECTOR_STORE",
    "REMOVE_STORE_FILE",
    "SEARCH_VECTOR_STORE",
    "STORE_FILES",
    "STORE_FILE_CONTENT",
    "UPDATE_STORE_FILE",
    "UPDATE_VECTOR_STORE",
    "VECTOR_STORES",
]

_STORE = "/vector_stores/{vector_store_id}"
_FILE = _STORE + "/files/{file_id}"
_BATCH = _STORE + "/file_batches/{batch_id}"

CREATE_VECTOR_STORE: Endpoint[Nothing, VectorStoreRequest, VectorStore] = Endpoint(
    name="create_vector_store",
    method="POST",
    path="/vector_stores",
    body=VectorStoreRequest,
    reply=VectorStore,
)

VECTOR_STORES: Endpoint[ListQuery, Nothing, Page[VectorStore]] = Endpoint(
    name="vector_stores",
    method="GET",
    path="/vector_stores",
    query=ListQuery,
    reply=Page[VectorStore],
)

GET_VECTOR_STORE: Endpoint[Nothing, Nothing, VectorStore] = Endpoint(
    name="get_vector_store",
    method="GET",
    path=_STORE,
    reply=VectorStore,
)

UPDATE_VECTOR_STORE: Endpoint[Nothing, VectorStoreUpdate, VectorStore] = Endpoint(
    name="update_vector_store",
    method="POST",
    path=_STORE,
    body=VectorStoreUpdate,
    reply=VectorStore,
)

DELETE_VECTOR_STORE: Endpoint[Nothing, Nothing, VectorStoreDeleted] = Endpoint(
    name="delete_vector_store",
    method="DELETE",
    path=_STORE,
    reply=VectorStoreDeleted,
)

SEARCH_VECTOR_STORE: Endpoint[Nothing, SearchRequest, SearchResultsPage] = Endpoint(
    name="search_vector_store",
    method="POST",
    path=_STORE + "/search",
    body=SearchRequest,
    reply=SearchResultsPage,
)

ADD_STORE_FILE: Endpoint[Nothing, StoreFileRequest, StoreFile] = Endpoint(
    name="add_store_file",
    method="POST",
    path=_STORE + "/files",
    body=StoreFileRequest,
    reply=StoreFile,
)

STORE_FILES: Endpoint[StoreFileQuery, Nothing, Page[StoreFile]] = Endpoint(
    name="store_files",
    method="GET",
    path=_STORE + "/files",
    query=StoreFileQuery,
    reply=Page[StoreFile],
)

GET_STORE_FILE: Endpoint[Nothing, Nothing, StoreFile] = Endpoint(
    name="get_store_file",
    method="GET",
    path=_FILE,
    reply=StoreFile,
)

UPDATE_STORE_FILE: Endpoint[Nothing, StoreFileUpdate, StoreFile] = Endpoint(
    name="update_store_file",
    method="POST",
    path=_FILE,
    body=StoreFileUpdate,
    reply=StoreFile,
)

REMOVE_STORE_FILE: Endpoint[Nothing, Nothing, StoreFileDeleted] = Endpoint(
    name="remove_store_file",
    method="DELETE",
    path=_FILE,
    reply=StoreFileDeleted,
)

STORE_FILE_CONTENT: Endpoint[Nothing, Nothing, FileContentPage] = Endpoint(
    name="store_file_content",
    method="GET",
    path=_FILE + "/content",
    reply=FileContentPage,
)

CREATE_FILE_BATCH: Endpoint[Nothing, FileBatchRequest, FileBatch] = Endpoint(
    name="create_file_batch",
    method="POST",
    path=_STORE + "/file_batches",
    body=FileBatchRequest,
    reply=FileBatch,
)

GET_FILE_BATCH: Endpoint[Nothing, Nothing, FileBatch] = Endpoint(
    name="get_file_batch",
    method="GET",
    path=_BATCH,
    reply=FileBatch,
)

CANCEL_FILE_BATCH: Endpoint[Nothing, Nothing, FileBatch] = Endpoint(
    name="cancel_file_batch",
    method="POST",
    path=_BATCH + "/cancel",
    reply=FileBatch,
)

BATCH_FILES: Endpoint[StoreFileQuery, Nothing, Page[StoreFile]] = Endpoint(
    name="batch_files",
    method="GET",
    path=_BATCH + "/files",
    query=StoreFileQuery,
    reply=Page[StoreFile],
)
