"""Vector stores: alone in their project, retried safely, expired, and never with vectors of two models."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import msgspec
import pytest
from msgspec.structs import replace

from runstead.domain.idempotency import Replay, digest, with_key
from runstead.engine.ingestion.reindex import make_due
from runstead.engine.resources.project import Project
from runstead.engine.retrieval.search import StoreSearch
from runstead.wire.chunking import StaticChunkingRequest, StaticSizes
from runstead.wire.endpoints import vector_stores
from runstead.wire.endpoints.endpoint import Endpoint
from runstead.wire.error import BadRequest, NotFound
from runstead.wire.search import SearchRequest
from runstead.wire.vector_store import (
    FileBatchRequest,
    FileCounts,
    StoreExpiry,
    StoreFileRequest,
    VectorStoreRequest,
    VectorStoreUpdate,
)
from tests.engine.ingestion import found_in, searching, status_of, store_with, upload_text
from tests.support.callers import project_of
from tests.support.retrieval import HashingEmbeddings
from tests.support.waiting import until

Call: TypeAlias = Callable[[Project, str, str, str], Awaitable[object]]
CALLS: dict[str, Call] = {
    "get_vector_store": lambda it, store, *_: it.get_vector_store(store),
    "update_vector_store": lambda it, store, *_: it.update_vector_store(store, VectorStoreUpdate(name="N")),
    "search_vector_store": lambda it, store, *_: it.search_vector_store(store, SearchRequest(query="ferry")),
    "add_store_file": lambda it, store, file, _: it.add_store_file(store, StoreFileRequest(file_id=file)),
    "get_store_file": lambda it, store, file, _: it.get_store_file(store, file),
    "update_store_file": lambda it, store, file, _: it.update_store_file(store, file, {"a": 1}),
    "store_files": lambda it, store, *_: it.store_files(store),
    "store_file_content": lambda it, store, file, _: it.store_file_content(store, file),
    "create_file_batch": lambda it, store, file, _: it.create_file_batch(store, FileBatchRequest(file_ids=[file])),
    "get_file_batch": lambda it, store, _, batch: it.get_file_batch(store, batch),
    "cancel_file_batch": lambda it, store, _, batch: it.cancel_file_batch(store, batch),
    "batch_files": lambda it, store, _, batch: it.batch_files(store, batch),
    "remove_store_file": lambda it, store, file, _: it.remove_store_file(store, file),
    "delete_vector_store": lambda it, store, *_: it.delete_vector_store(store),
}
ENDPOINTS = {each.name: each for each in vars(vector_stores).values() if isinstance(each, Endpoint)}
POSTS = [name for name in CALLS if ENDPOINTS[name].method == "POST" and name != "search_vector_store"]


def test_every_call_is_tested() -> None:
    assert set(CALLS) == set(ENDPOINTS) - {"create_vector_store", "vector_stores"}


async def test_another_project_finds_nothing_and_changes_nothing() -> None:
    async with searching() as here:
        mine, other = here.project, project_of(here.application, "another")
        store_id, [file_id] = await store_with(mine, ["a ferry"])
        await status_of(mine, store_id, file_id)
        batch = await mine.create_file_batch(store_id, FileBatchRequest(file_ids=[file_id]))
        before = await mine.get_vector_store(store_id), await mine.get_store_file(store_id, file_id)
        for name, call in CALLS.items():
            with pytest.raises(NotFound):
                await call(other, store_id, file_id, batch.id)
            assert (await mine.get_vector_store(store_id)).file_counts.total == 1, name
        with pytest.raises(NotFound):
            await other.create_vector_store(VectorStoreRequest(file_ids=[file_id]))
        assert list((await other.vector_stores()).data) == []
        assert (await mine.get_vector_store(store_id), await mine.get_store_file(store_id, file_id)) == before


@pytest.mark.parametrize("name", ["create_vector_store", *POSTS])
async def test_a_retry_gets_the_first_reply(name: str) -> None:
    call: Call = CALLS.get(name, lambda it, *_: it.create_vector_store())
    async with searching() as here:
        store_id, [file_id] = await store_with(here.project, ["a ferry"])
        await status_of(here.project, store_id, file_id)
        batch = await here.project.create_file_batch(store_id, FileBatchRequest(file_ids=[file_id]))
        key = with_key("k", digest(b"this"))
        reply = await call(here.project.once(key), store_id, file_id, batch.id)
        before = [store.id for store in (await here.project.vector_stores()).data]
        with pytest.raises(Replay) as again:
            await call(here.project.once(key), store_id, file_id, batch.id)
        assert again.value.answer == msgspec.json.encode(reply)
        assert [store.id for store in (await here.project.vector_stores()).data] == before


async def test_an_expired_store_is_refused_and_emptied() -> None:
    async with searching() as here:
        it = here.project
        file_id = await upload_text(it, "a ferry")
        expiry = StoreExpiry(anchor="last_active_at", days=1)
        store = await it.create_vector_store(VectorStoreRequest(file_ids=[file_id], expires_after=expiry))
        await status_of(it, store.id, file_id)
        await here.clock.advance(86_399)
        assert await found_in(it, store.id, "ferry") == ["a.txt"]  # which is a use
        await here.clock.advance(86_399)
        assert (await it.get_vector_store(store.id)).status == "completed"
        await here.clock.advance(1)
        assert (await it.get_vector_store(store.id)).status == "expired"
        for name in ("search_vector_store", "add_store_file", "create_file_batch", "update_vector_store"):
            with pytest.raises(BadRequest) as refused:
                await CALLS[name](it, store.id, file_id, "")
            assert refused.value.message == f"Vector store '{store.id}' has expired."

        async def empty() -> bool:
            await here.clock.advance(1)
            return (await it.get_vector_store(store.id)).file_counts == FileCounts()

        await until(empty)
        retrieval = here.adapters.retrieval
        assert retrieval is not None

        async def gone() -> bool:
            await here.clock.advance(1)
            return await retrieval.index.size(it._project, store.id) == 0

        await until(gone)
        assert (await it.get_file(file_id)).id == file_id


async def test_a_deleted_store_leaves_the_index() -> None:
    async with searching() as here:
        it = here.project
        store_id, [file_id] = await store_with(it, ["a ferry"])
        await status_of(it, store_id, file_id)
        retrieval = here.adapters.retrieval
        assert retrieval is not None
        assert await retrieval.index.size(it._project, store_id) == 1
        await it.delete_vector_store(store_id)

        async def gone() -> bool:
            await here.clock.advance(1)
            return await retrieval.index.size(it._project, store_id) == 0

        await until(gone)


async def test_vectors_of_another_model_are_not_compared_until_they_are_made_again() -> None:
    async with searching(embeddings=HashingEmbeddings("old")) as here:
        it = here.project
        store_id, [file_id] = await store_with(it, ["a ferry"])
        await status_of(it, store_id, file_id)
        adapters, retrieval, new = here.adapters, here.adapters.retrieval, HashingEmbeddings("new")
        assert retrieval is not None
        search = StoreSearch(adapters.store, retrieval.index, new, adapters.clock)

        async def found() -> list[str]:
            return [each.text for each in await search.search(it._project, [store_id], ["ferry"], limit=3)]

        assert (await found(), new.embedded) == (["a ferry"], 0)
        changed = replace(retrieval, embeddings=new, due=retrieval.due)
        before = await retrieval.index.published(it._project, store_id)
        assert await make_due(adapters, changed) == 1
        await status_of(it, store_id, file_id)  # by the ingestion of this process, whose model is the old one
        assert await retrieval.index.published(it._project, store_id) != before
        assert (await found(), new.embedded) == (["a ferry"], 0)


async def test_what_follows_the_first_4000_characters_of_a_query_has_no_effect() -> None:
    """The embedding of a text takes time for all of it, and delays the searches behind it."""
    async with searching() as here:
        store_id, [file_id] = await store_with(here.project, ["a ferry"])
        await status_of(here.project, store_id, file_id)
        queries = ["ferry", "ferry".ljust(4_000) + "heron otter" * 100]
        scores = [
            (await here.project.search_vector_store(store_id, SearchRequest(query=query))).data[0].score
            for query in queries
        ]
        assert scores[0] == scores[1]


async def test_a_long_text_is_given_in_parts() -> None:
    text = "a ferry \N{FOX FACE} " * 100_000 + "."
    async with searching() as here:
        file_id = await upload_text(here.project, text)
        sizes = StaticSizes(max_chunk_size_tokens=4096, chunk_overlap_tokens=0)
        store = await here.project.create_vector_store(
            VectorStoreRequest(file_ids=[file_id], chunking_strategy=StaticChunkingRequest(static=sizes))
        )
        await status_of(here.project, store.id, file_id)
        parts = [part.text for part in (await here.project.store_file_content(store.id, file_id)).data]
        assert "".join(parts) == text
        assert max(map(len, parts)) == 1_000_000
