# Generated from src/runstead/client/_async/indexing.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""Files uploaded into a vector store, and the wait until they can be searched."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from runstead.client._sync.files import Files
from runstead.client.deadline import Deadline
from runstead.client.http.retries import backoff
from runstead.wire.chunking import Chunking
from runstead.wire.endpoints import vector_stores as endpoint
from runstead.wire.endpoints.endpoint import Endpoint, Nothing
from runstead.wire.error import WaitTimeout
from runstead.wire.struct import UNSET
from runstead.wire.vector_store import (
    Attributes,
    FileBatch,
    StoreFile,
    StoreFileRequest,
    VectorStore,
    VectorStoreId,
)

__all__ = ["Indexing"]

R = TypeVar("R", VectorStore, StoreFile, FileBatch)


class Indexing(Files):
    """The calls of the client about vector stores beyond the interface."""

    def upload_store_file(
        self,
        vector_store_id: VectorStoreId,
        source: Any,
        *,
        attributes: Attributes | None = None,
        chunking_strategy: Chunking | None = None,
        progress: Callable[[int], object] | None = None,
    ) -> StoreFile:
        """Upload a file as `upload_file` does, and add it to a vector store. It is `in_progress` until it is indexed.

        If it cannot be added, the uploaded file remains.
        """
        file = self.upload_file(source, progress=progress)
        request = StoreFileRequest(
            file_id=file.id,
            attributes=UNSET if attributes is None else attributes,
            chunking_strategy=UNSET if chunking_strategy is None else chunking_strategy,
        )
        path = {"vector_store_id": vector_store_id}
        return self._transport.call(endpoint.ADD_STORE_FILE, path, body=request)

    def wait_for_store_file(self, file: StoreFile, timeout: float = 600.0) -> StoreFile:
        """The file once it is `completed`, `failed` or `cancelled`. `WaitTimeout` after `timeout` seconds."""
        path = {"vector_store_id": file.vector_store_id, "file_id": file.id}
        return self._until_indexed(endpoint.GET_STORE_FILE, path, timeout, None)

    def wait_for_file_batch(
        self, batch: FileBatch, timeout: float = 600.0, progress: Callable[[FileBatch], object] | None = None
    ) -> FileBatch:
        """The batch once none of its files is in progress. `progress` is called with every state that was seen."""
        path = {"vector_store_id": batch.vector_store_id, "batch_id": batch.id}
        return self._until_indexed(endpoint.GET_FILE_BATCH, path, timeout, progress)

    def wait_for_vector_store(
        self,
        vector_store_id: VectorStoreId,
        timeout: float = 600.0,
        progress: Callable[[VectorStore], object] | None = None,
    ) -> VectorStore:
        """The vector store once none of its files is in progress. `progress` is called with every state that was seen.

        A file that failed does not raise: `file_counts` says how many there are. `WaitTimeout` after `timeout` seconds;
        the server goes on.
        """
        path = {"vector_store_id": vector_store_id}
        return self._until_indexed(endpoint.GET_VECTOR_STORE, path, timeout, progress)

    def _until_indexed(
        self,
        call: Endpoint[Nothing, Nothing, R],
        path: Mapping[str, str],
        timeout: float,
        progress: Callable[[R], object] | None,
    ) -> R:
        """The object of a path once it is not `in_progress`."""
        try:
            return self._poll(call, path, Deadline(timeout), progress)
        except WaitTimeout as error:
            [*_, id] = path.values()
            raise WaitTimeout(f"After {timeout:g} s {id} was still in progress. Its indexing goes on.") from error

    def _poll(
        self,
        call: Endpoint[Nothing, Nothing, R],
        path: Mapping[str, str],
        deadline: Deadline,
        progress: Callable[[R], object] | None,
    ) -> R:
        """Get the object until it is not `in_progress`, at the interval that the server asks for."""
        attempt = 0
        while True:
            seen, interval = self._transport.poll(call, path, deadline)
            if progress is not None:
                progress(seen)
            if seen.status != "in_progress":
                return seen
            if deadline.over:
                raise WaitTimeout
            attempt += 1
            pause = backoff(attempt, first=0.1, longest=1.0) if interval is None else interval
            self._sleep(min(pause, deadline.remaining))
