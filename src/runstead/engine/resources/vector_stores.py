"""Vector stores, over the store and the index."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from runstead.domain import ids
from runstead.domain import vector_stores as rules
from runstead.domain.creation import value_or
from runstead.domain.filter_size import check_filter
from runstead.engine.file_references import check_files
from runstead.engine.idempotency import subject
from runstead.engine.resources.scope import Bound, found, page_of
from runstead.engine.retrieval.parts import required
from runstead.engine.retrieval.query import rewritten
from runstead.engine.retrieval.texts import read_text
from runstead.store.port import Tx, VectorStoreRow
from runstead.wire.error import BadRequest
from runstead.wire.page import ListQuery, Page
from runstead.wire.search import (
    FileContentPage,
    SearchRanking,
    SearchRequest,
    SearchResult,
    SearchResultsPage,
    TextContent,
)
from runstead.wire.struct import SortOrder
from runstead.wire.vector_store import (
    FileBatch,
    FileBatchRequest,
    FileCounts,
    StoreFile,
    StoreFileDeleted,
    StoreFileQuery,
    StoreFileRequest,
    StoreFileStatus,
    VectorStore,
    VectorStoreDeleted,
    VectorStoreRequest,
    VectorStoreUpdate,
)

__all__ = ["VectorStores", "add_files", "check_not_expired", "insert_store", "the_store"]

_RESULTS = 10
"""Results of a search that does not say how many."""
_TEXT_PART = 1_000_000
"""Characters of one part of a file's text. A server encodes a part at a time."""


class VectorStores(Bound):
    """Implements `interface.VectorStores`."""

    async def create_vector_store(self, request: VectorStoreRequest | None = None) -> VectorStore:
        request = request or VectorStoreRequest()
        requests = rules.first_requests(request)
        self._check_ingests(requests)
        id = self._adapters.new_id("vs")

        async def work(tx: Tx) -> VectorStore:
            return await insert_store(tx, self._project, id, request, requests, self._adapters.now())

        store = await self._write(work)
        self._ingest(requests)
        return store

    async def get_vector_store(self, vector_store_id: str) -> VectorStore:
        ids.check(vector_store_id=vector_store_id)
        return (await self._read(lambda tx: self._store(tx, vector_store_id))).store

    async def update_vector_store(self, vector_store_id: str, request: VectorStoreUpdate) -> VectorStore:
        ids.check(vector_store_id=vector_store_id)

        async def work(tx: Tx) -> VectorStore:
            row = await self._store(tx, vector_store_id)
            check_not_expired(row.store)
            row = replace(row, store=rules.updated_store(row.store, request, self._adapters.now()))
            await tx.vector_stores.replace(self._project, row)
            return row.store

        return await self._write(work)

    async def delete_vector_store(self, vector_store_id: str) -> VectorStoreDeleted:
        ids.check(vector_store_id=vector_store_id)

        async def work(tx: Tx) -> VectorStoreDeleted:
            gone = await tx.vector_stores.delete(self._project, vector_store_id, self._adapters.now())
            found("vector store", vector_store_id, gone or None)
            await tx.idempotency.erase(self._project, vector_store_id)
            return VectorStoreDeleted(id=vector_store_id)

        return await self._write(work)

    async def vector_stores(
        self,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: str | None = None,
        before: str | None = None,
    ) -> Page[VectorStore]:
        query = ListQuery(limit=limit, order=order, after=after, before=before)
        now = self._adapters.now()
        return await self._read(
            lambda tx: page_of("vector store", query, lambda query: tx.vector_stores.page(self._project, query, now))
        )

    async def search_vector_store(self, vector_store_id: str, request: SearchRequest) -> SearchResultsPage:
        ids.check(vector_store_id=vector_store_id)
        filters = value_or(request.filters, None)
        if filters is not None:
            check_filter(filters)
        row = await self._read(lambda tx: self._store(tx, vector_store_id))
        check_not_expired(row.store)
        queries = [request.query] if isinstance(request.query, str) else request.query
        if value_or(request.rewrite_query, default=False):
            queries = [rewritten(query) for query in queries]
        results = await required(self._adapters.retrieval).search.search(
            self._project,
            [vector_store_id],
            queries,
            limit=value_or(request.max_num_results, _RESULTS),
            filters=filters,
            ranking=value_or(request.ranking_options, SearchRanking()),
        )
        return SearchResultsPage(
            search_query=list(queries),
            data=[
                SearchResult(
                    file_id=each.file_id,
                    filename=each.file_name,
                    score=each.score,
                    attributes=dict(each.attributes),
                    content=[TextContent(text=each.text)],
                    start=each.start,
                    end=each.end,
                    heading=each.heading,
                    place=each.place,
                )
                for each in results
            ],
        )

    async def add_store_file(self, vector_store_id: str, request: StoreFileRequest) -> StoreFile:
        ids.check(vector_store_id=vector_store_id)
        self._check_ingests([request])

        async def work(tx: Tx) -> StoreFile:
            row = await self._store(tx, vector_store_id)
            files = await add_files(tx, self._project, row.store, [request], self._adapters.now())
            return files[request.file_id]

        file = await self._write(work)
        self._ingest([request])
        return file

    async def get_store_file(self, vector_store_id: str, file_id: str) -> StoreFile:
        ids.check(vector_store_id=vector_store_id, file_id=file_id)
        return await self._read(lambda tx: self._file(tx, vector_store_id, file_id))

    async def update_store_file(
        self, vector_store_id: str, file_id: str, attributes: Mapping[str, str | bool | float] | None
    ) -> StoreFile:
        ids.check(vector_store_id=vector_store_id, file_id=file_id)

        async def work(tx: Tx) -> StoreFile:
            file = await self._file(tx, vector_store_id, file_id)
            file = replace(file, attributes=rules.stored_attributes(attributes))
            await tx.store_files.replace(self._project, file)
            return file

        file = await self._write(work)
        index = required(self._adapters.retrieval).index
        await index.set_attributes(self._project, vector_store_id, file_id, file.attributes)
        return file

    async def remove_store_file(self, vector_store_id: str, file_id: str) -> StoreFileDeleted:
        ids.check(vector_store_id=vector_store_id, file_id=file_id)

        async def work(tx: Tx) -> StoreFileDeleted:
            await self._store(tx, vector_store_id)
            gone = await tx.store_files.remove(self._project, vector_store_id, file_id, self._adapters.now())
            found("file", file_id, gone or None)
            await tx.idempotency.erase(self._project, subject(vector_store_id, file_id))
            return StoreFileDeleted(id=file_id)

        return await self._write(work)

    async def store_files(
        self,
        vector_store_id: str,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: str | None = None,
        before: str | None = None,
        filter: StoreFileStatus | None = None,
    ) -> Page[StoreFile]:
        ids.check(vector_store_id=vector_store_id)
        query = StoreFileQuery(limit=limit, order=order, after=after, before=before, filter=filter)

        async def work(tx: Tx) -> Page[StoreFile]:
            return await page_of(
                "file",
                query,
                lambda _: tx.store_files.page(self._project, vector_store_id, query),
                lambda: self._store(tx, vector_store_id),
            )

        return await self._read(work)

    async def store_file_content(self, vector_store_id: str, file_id: str) -> FileContentPage:
        ids.check(vector_store_id=vector_store_id, file_id=file_id)

        async def work(tx: Tx) -> str | None:
            if (await self._file(tx, vector_store_id, file_id)).status != "completed":
                return None
            row = await tx.files.get(self._project, file_id, self._adapters.now())
            return found("file", file_id, row).blob

        blob = await self._read(work, single=False)
        if blob is None:
            raise BadRequest(f"The file '{file_id}' has no text: it is not completed.", code="invalid_value")
        document = await read_text(self._adapters.blobs, blob)
        text = "" if document is None else document.text
        parts = [text[start : start + _TEXT_PART] for start in range(0, len(text), _TEXT_PART)]
        return FileContentPage(data=[TextContent(text=part) for part in parts])

    async def create_file_batch(self, vector_store_id: str, request: FileBatchRequest) -> FileBatch:
        ids.check(vector_store_id=vector_store_id)
        requests = rules.batch_requests(request)
        self._check_ingests(requests)
        id = self._adapters.new_id("vsfb")

        async def work(tx: Tx) -> FileBatch:
            row = await self._store(tx, vector_store_id)
            now = self._adapters.now()
            batch = FileBatch(id=id, created_at=now, vector_store_id=vector_store_id, file_counts=FileCounts())
            await tx.file_batches.insert(self._project, batch)
            await add_files(tx, self._project, row.store, requests, now, id)
            return await self._batch(tx, vector_store_id, id)

        batch = await self._write(work)
        self._ingest(requests)
        return batch

    async def get_file_batch(self, vector_store_id: str, batch_id: str) -> FileBatch:
        ids.check(vector_store_id=vector_store_id, batch_id=batch_id)
        return await self._read(lambda tx: self._batch(tx, vector_store_id, batch_id), single=False)

    async def cancel_file_batch(self, vector_store_id: str, batch_id: str) -> FileBatch:
        ids.check(vector_store_id=vector_store_id, batch_id=batch_id)

        async def work(tx: Tx) -> FileBatch:
            await self._store(tx, vector_store_id)
            await self._batch(tx, vector_store_id, batch_id)
            await tx.file_batches.cancel(self._project, vector_store_id, batch_id)
            return await self._batch(tx, vector_store_id, batch_id)

        return await self._write(work)

    async def batch_files(
        self,
        vector_store_id: str,
        batch_id: str,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: str | None = None,
        before: str | None = None,
        filter: StoreFileStatus | None = None,
    ) -> Page[StoreFile]:
        ids.check(vector_store_id=vector_store_id, batch_id=batch_id)
        query = StoreFileQuery(limit=limit, order=order, after=after, before=before, filter=filter)

        async def work(tx: Tx) -> Page[StoreFile]:
            return await page_of(
                "file",
                query,
                lambda _: tx.store_files.page(self._project, vector_store_id, query, batch_id),
                lambda: self._batch(tx, vector_store_id, batch_id),
            )

        return await self._read(work, single=False)

    async def _store(self, tx: Tx, store_id: str) -> VectorStoreRow:
        return await the_store(tx, self._project, store_id, self._adapters.now())

    async def _file(self, tx: Tx, store_id: str, file_id: str) -> StoreFile:
        file = await tx.store_files.get(self._project, store_id, file_id)
        if file is None:
            await self._store(tx, store_id)
        return found("file", file_id, file)

    async def _batch(self, tx: Tx, store_id: str, batch_id: str) -> FileBatch:
        return found("file batch", batch_id, await tx.file_batches.get(self._project, store_id, batch_id))

    def _check_ingests(self, requests: Sequence[StoreFileRequest]) -> None:
        """`BadRequest` where files would stay in progress for ever."""
        if requests:
            required(self._adapters.retrieval)

    def _ingest(self, requests: Sequence[StoreFileRequest]) -> None:
        """Wake this process's ingestion. Other processes look for due files once a second."""
        if requests and self._adapters.retrieval is not None:
            self._adapters.retrieval.wake()


async def the_store(tx: Tx, project: str, store_id: str, now: int) -> VectorStoreRow:
    """The vector store of a path, or `NotFound`. In `write` it is locked."""
    return found("vector store", store_id, await tx.vector_stores.get(project, store_id, now))


async def insert_store(
    tx: Tx, project: str, id: str, request: VectorStoreRequest, files: Sequence[StoreFileRequest], now: int
) -> VectorStore:
    """Create a vector store with files, and return it as it then is."""
    await tx.vector_stores.insert(project, VectorStoreRow(store=rules.new_store(request, id, now)))
    row = await the_store(tx, project, id, now)
    await add_files(tx, project, row.store, files, now)
    return (await the_store(tx, project, id, now)).store


async def add_files(
    tx: Tx,
    project: str,
    store: VectorStore,
    requests: Sequence[StoreFileRequest],
    now: int,
    batch_id: str | None = None,
) -> dict[str, StoreFile]:
    """Add files to a store that is locked; they are returned by id. `NotFound` if one does not exist."""
    check_not_expired(store)
    wanted = [each.file_id for each in requests]
    await check_files(tx, project, wanted, now)
    before = await tx.store_files.get_many(project, store.id, wanted)
    rules.check_room(store, len(wanted) - len(before))
    files = {
        each.file_id: rules.added(before.get(each.file_id), rules.stored(store.id, each, now), each)
        for each in requests
    }
    await tx.store_files.add(project, list(files.values()), now, batch_id)
    await tx.vector_stores.use(project, store.id, now)
    return files


def check_not_expired(store: VectorStore) -> None:
    """An expired vector store can be read and deleted, and nothing else."""
    if store.status == "expired":
        raise BadRequest(f"Vector store '{store.id}' has expired.", code="vector_store_expired")
