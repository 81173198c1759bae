"""The port of vector stores, their files and batches of files.

The files of a store are also the queue of their ingestion: a row that is `in_progress` is due at a time, and a claim
moves that time into the future. The number of claims guards what a claim writes.
"""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from runstead.wire.page import ListQuery, Page
from runstead.wire.vector_store import FileBatch, FileCounts, StoreFile, StoreFileError, StoreFileQuery, VectorStore

__all__ = ["FileBatches", "IndexRemoval", "IngestionJob", "StoreFiles", "VectorStoreRow", "VectorStores"]


class VectorStoreRow(Struct, frozen=True, kw_only=True):
    """A vector store, with the fields that are stored but not shown.

    Counts, usage and times of the store are columns: `VectorStores` and `StoreFiles` keep them up to date.
    """

    store: VectorStore
    embedding_model: str | None = None
    """The model of its vectors; None until it has any."""
    dimension: int = 0
    """Of its vectors."""

    @property
    def id(self) -> str:
        return self.store.id

    @property
    def created_at(self) -> int:
        return self.store.created_at


class IngestionJob(Struct, frozen=True, kw_only=True):
    """A file of a vector store that was claimed to be indexed."""

    project: str
    file: StoreFile
    claims: int
    """Claims of this file so far: the guard of the outcome."""
    attempts: int
    """Attempts since the file was added, this one included."""


class IndexRemoval(Struct, frozen=True, kw_only=True):
    """A removal that the index has yet to make: of a file of a store, or of the whole store."""

    number: int
    project: str
    store_id: str
    file_id: str | None


class VectorStores(Protocol):
    """The vector stores of all projects. `status` is as it is at `now`."""

    async def get(self, project: str, store_id: str, now: int) -> VectorStoreRow | None:
        """The store. In `write` it is locked until the transaction ends."""
        ...

    async def insert(self, project: str, row: VectorStoreRow) -> None: ...
    async def replace(self, project: str, row: VectorStoreRow) -> bool:
        """Replace all but the counts and the usage."""
        ...

    async def delete(self, project: str, store_id: str, now: int) -> bool:
        """Delete the store. Its files' rows are removed afterwards, by `Deletions.remove`."""
        ...

    async def page(self, project: str, query: ListQuery, now: int) -> Page[VectorStore] | None: ...
    async def use(self, project: str, store_id: str, now: int) -> None:
        """Record that the store was used at `now`, unless it has expired."""
        ...

    async def expired(self, now: int, limit: int) -> list[tuple[str, str]]:
        """Project and id of stores that have expired and still have files."""
        ...

    async def audit(self, after: str, limit: int, now: int) -> list[tuple[str, VectorStoreRow]]:
        """Stores of all projects, each with its project, in the order of their ids, after this one."""
        ...

    async def mark_removal(self, project: str, store_id: str, file_id: str | None) -> None:
        """Mark a file of a store, or the whole store, for removal from the index."""
        ...

    async def removals(self, limit: int) -> list[IndexRemoval]:
        """The removals that the index has yet to make, the oldest first."""
        ...

    async def removed(self, numbers: Sequence[int]) -> None:
        """These removals were made."""
        ...


class StoreFiles(Protocol):
    """The files of vector stores. A change of a file changes the counts of its store in the same transaction."""

    async def get(self, project: str, store_id: str, file_id: str) -> StoreFile | None: ...
    async def get_many(self, project: str, store_id: str, file_ids: Sequence[str]) -> dict[str, StoreFile]:
        """Those of these files that the store has, by id."""
        ...

    async def add(self, project: str, files: Sequence[StoreFile], now: int, batch_id: str | None = None) -> None:
        """Add files of one store, or replace their rows. Those in progress are due at `now`.

        The caller has locked the store, by `VectorStores.get`.
        """
        ...

    async def page(
        self, project: str, store_id: str, query: StoreFileQuery, batch_id: str | None = None
    ) -> Page[StoreFile] | None: ...

    async def replace(self, project: str, file: StoreFile) -> bool:
        """Replace the attributes of a file."""
        ...

    async def remove(self, project: str, store_id: str, file_id: str, now: int) -> bool:
        """Remove a file from its store, and mark it for removal from the index."""
        ...

    async def remove_some(self, project: str, store_id: str, limit: int, now: int) -> int:
        """Remove files of an expired store. Returns how many."""
        ...

    async def stores_of(self, project: str, file_id: str) -> list[str]:
        """The stores that have a file."""
        ...

    async def count_in_progress(self, project: str, store_ids: Sequence[str]) -> int: ...

    async def due_projects(self, now: int) -> list[str]:
        """Projects with files that are due to be indexed."""
        ...

    async def claim(self, project: str, now: int, until: int) -> IngestionJob | None:
        """The file of a project that is due longest. It is not claimed again before `until`."""
        ...

    async def renew(self, job: IngestionJob, until: int) -> bool:
        """Extend a claim; False when the file was claimed again, cancelled or removed since."""
        ...

    async def finish(self, job: IngestionJob, usage_bytes: int, error: StoreFileError | None) -> bool:
        """Complete or fail a file; False when the claim was lost.

        A failed file is marked for removal from the index, where an earlier version of it may be.
        """
        ...

    async def renew_completed(self, project: str, store_id: str, file_ids: Sequence[str], now: int) -> int:
        """Make those of these files due again that are completed. Returns how many.

        The caller has locked the store, by `VectorStores.get`.
        """
        ...

    async def retry(self, job: IngestionJob, at: int) -> bool:
        """Make a claimed file due again at a time; False when the claim was lost."""
        ...

    async def release(self, job: IngestionJob, at: int) -> bool:
        """As `retry`, for an attempt that does not count, because its process stopped."""
        ...

    async def release_all(self, now: int) -> None:
        """Make all files in progress due. For a store whose only process has just started."""
        ...

    async def sums(self, store_id: str) -> tuple[FileCounts, int]:
        """The counts and the usage of a store, summed over its rows: for the checker."""
        ...

    async def audit(self, after: tuple[str, str], limit: int) -> list[tuple[str, StoreFile]]:
        """Files of all stores, each with its project, ordered by the ids of store and file, after these two."""
        ...


class FileBatches(Protocol):
    """Batches of files. Their counts are those of the files that were added last with the batch."""

    async def get(self, project: str, store_id: str, batch_id: str) -> FileBatch | None: ...
    async def insert(self, project: str, batch: FileBatch) -> None: ...
    async def cancel(self, project: str, store_id: str, batch_id: str) -> int:
        """Cancel the files of a batch that are in progress, and mark them for removal from the index.

        Returns how many. The caller has locked the store.
        """
        ...
