"""Vector stores on every deployment: files are added, ingested, searched and removed."""

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from runstead import bootstrap
from runstead.wire.chunking import StaticChunkingRequest, StaticSizes
from runstead.wire.error import ApiError, BadRequest, NotFound
from runstead.wire.filter import AndFilter, EqualFilter, GreaterFilter, InFilter
from runstead.wire.hybrid import HybridWeights
from runstead.wire.search import SearchRanking, SearchRequest, SearchResultsPage
from runstead.wire.struct import SortOrder
from runstead.wire.vector_store import (
    FileBatchRequest,
    FileCounts,
    StoreExpiry,
    StoreFileRequest,
    VectorStore,
    VectorStoreRequest,
    VectorStoreUpdate,
)
from tests.contract.interface.harness import Harness
from tests.contract.interface.test_files import upload
from tests.contract.interface.test_refusals import refusal
from tests.support.retrieval import HashingEmbeddings
from tests.support.waiting import until

REFUNDS = "# Refunds\n\nA refund takes five working days. \U0001f4a9 Ask Mrs Lindqvist.\n"
BOATS = "# Boats\n\nThe ferry to Bergen leaves on Mondays.\n"
SMALL = StaticChunkingRequest(static=StaticSizes(max_chunk_size_tokens=100, chunk_overlap_tokens=50))


@pytest.fixture(autouse=True)
def _without_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deployments that `bootstrap` builds embed without the model, which takes seconds to load."""
    monkeypatch.setattr(bootstrap, "_local_embeddings", HashingEmbeddings)


async def a_file(harness: Harness, text: str | bytes = REFUNDS, name: str = "a.md") -> str:
    return (await upload(harness, text if isinstance(text, bytes) else text.encode(), name)).id


async def a_store(harness: Harness, *texts: str, **fields: Any) -> VectorStore:
    """A vector store whose files have these texts, once all of them are ingested."""
    file_ids = [await a_file(harness, text, f"{number}.md") for number, text in enumerate(texts)]
    store = await harness.rs.create_vector_store(VectorStoreRequest(file_ids=file_ids, **fields))
    return await ready(harness, store.id)


async def ready(harness: Harness, id: str) -> VectorStore:
    """The vector store, once none of its files is in progress."""

    async def done() -> bool:
        return (await harness.rs.get_vector_store(id)).status != "in_progress"

    await until(done)
    return await harness.rs.get_vector_store(id)


async def search(harness: Harness, store: VectorStore, query: str = "refund", **fields: Any) -> SearchResultsPage:
    return await harness.rs.search_vector_store(store.id, SearchRequest(query=query, **fields))


async def names(harness: Harness, store: VectorStore, query: str, **fields: Any) -> list[str]:
    return [each.filename for each in (await search(harness, store, query, **fields)).data]


async def file_ids(harness: Harness, store: VectorStore, **query: Any) -> list[str]:
    return [file.id for file in (await harness.rs.store_files(store.id, **query)).data]


async def test_an_empty_store_is_completed_at_once(harness: Harness) -> None:
    request = VectorStoreRequest(
        name="n",
        description="d",
        metadata={"a": "b"},
        expires_after=StoreExpiry(anchor="last_active_at", days=2),
    )
    store = await harness.rs.create_vector_store(request)
    assert (store.object, store.status, store.file_counts) == ("vector_store", "completed", FileCounts())
    assert (store.name, store.description, store.metadata, store.usage_bytes) == ("n", "d", {"a": "b"}, 0)
    assert store.expires_at == store.last_active_at + 2 * 86_400
    assert await harness.rs.get_vector_store(store.id) == store
    assert (await harness.rs.create_vector_store()).expires_at is None
    update = VectorStoreUpdate(name=None, metadata={"c": "d"}, expires_after=None)
    changed = await harness.rs.update_vector_store(store.id, update)
    assert (changed.name, changed.description, changed.metadata) == (None, "d", {"c": "d"})
    assert (changed.expires_after, changed.expires_at) == (None, None)
    same = await harness.rs.update_vector_store(store.id, VectorStoreUpdate())
    assert (same.name, same.metadata) == (None, {"c": "d"})


async def test_stores_are_listed_and_deleted(harness: Harness) -> None:
    made = [(await harness.rs.create_vector_store()).id for _ in range(3)]
    page = await harness.rs.vector_stores(limit=2)
    assert ([store.id for store in page.data], page.has_more) == ([made[2], made[1]], True)
    rest = await harness.rs.vector_stores(after=page.last_id)
    assert ([store.id for store in rest.data], rest.has_more) == ([made[0]], False)
    gone = await harness.rs.delete_vector_store(made[1])
    assert (gone.id, gone.object, gone.deleted) == (made[1], "vector_store.deleted", True)
    assert [store.id for store in (await harness.rs.vector_stores(order=SortOrder.ASC)).data] == [made[0], made[2]]
    for call in (harness.rs.get_vector_store, harness.rs.delete_vector_store, harness.rs.store_files):
        assert (await refusal(call(made[1]))).message == f"No vector store found with id '{made[1]}'."


async def test_an_added_file_is_found_by_its_text(harness: Harness) -> None:
    store = await a_store(harness, REFUNDS, BOATS, chunking_strategy=SMALL)
    assert store.file_counts == FileCounts(completed=2, total=2)
    page = await search(harness, store, "refund")
    assert (page.object, page.search_query, page.has_more, page.next_page) == (
        "vector_store.search_results.page", ["refund"], False, None,
    )  # fmt: skip
    best = page.data[0]
    assert (best.filename, best.attributes, best.content[0].text) == ("0.md", {}, REFUNDS.strip())
    assert 0 < best.score <= 1
    assert (await names(harness, store, "when does the ferry leave"))[0] == "1.md"
    files = await harness.rs.store_files(store.id, order=SortOrder.ASC, filter="completed")
    first = files.data[0]
    assert (first.id, first.status, first.last_error) == (best.file_id, "completed", None)
    assert first.chunking_strategy.static == SMALL.static
    assert sum(file.usage_bytes for file in files.data) == store.usage_bytes > len(REFUNDS)
    content = await harness.rs.store_file_content(store.id, best.file_id)
    assert [part.text for part in content.data] == [REFUNDS.strip()]


async def test_a_search_can_be_narrowed(harness: Harness) -> None:
    store = await a_store(harness)
    for year, text in ((2025, REFUNDS), (2026, REFUNDS), (2027, BOATS)):
        request = StoreFileRequest(
            file_id=await a_file(harness, text, f"{year}.md"), attributes={"year": year, "draft": year == 2025}
        )
        file = await harness.rs.add_store_file(store.id, request)
        assert (file.status, file.usage_bytes, file.attributes["year"]) == ("in_progress", 0, year)
    await ready(harness, store.id)
    late = AndFilter(filters=[GreaterFilter(key="year", value=2025), EqualFilter(key="draft", value=False)])
    assert await names(harness, store, "refund", filters=late) == ["2026.md", "2027.md"]
    assert await names(harness, store, "refund", filters=late, max_num_results=1) == ["2026.md"]
    words = SearchRanking(hybrid_search=HybridWeights(embedding_weight=0, text_weight=1))
    assert sorted(await names(harness, store, "refund", ranking_options=words)) == ["2025.md", "2026.md"]
    assert await names(harness, store, "refund", ranking_options=SearchRanking(score_threshold=1.0)) == []
    polite = await search(harness, store, "Please tell me about the ferry, thank you!", rewrite_query=True)
    assert (polite.search_query, polite.data[0].filename) == (["about the ferry"], "2027.md")
    several = await harness.rs.search_vector_store(store.id, SearchRequest(query=["refund", "ferry"]))
    assert several.search_query == ["refund", "ferry"]
    assert {each.filename for each in several.data} == {"2025.md", "2026.md", "2027.md"}


async def test_new_attributes_count_at_once(harness: Harness) -> None:
    store = await a_store(harness, REFUNDS)
    [file_id] = await file_ids(harness, store)
    kept = EqualFilter(key="kept", value=True)
    assert await names(harness, store, "refund", filters=kept) == []
    changed = await harness.rs.update_store_file(store.id, file_id, {"kept": True, "note": "ä", "part": 1.5, "of": 2})
    assert changed.attributes == {"kept": True, "note": "ä", "part": 1.5, "of": 2}
    [found] = (await search(harness, store, "refund", filters=kept)).data
    assert found.attributes == changed.attributes
    assert (await harness.rs.update_store_file(store.id, file_id, None)).attributes == {}
    assert await names(harness, store, "refund", filters=kept) == []


async def test_a_removed_or_deleted_file_is_not_found_any_more(harness: Harness) -> None:
    store = await a_store(harness, REFUNDS, BOATS)
    boats, refunds = await file_ids(harness, store)
    gone = await harness.rs.remove_store_file(store.id, refunds)
    assert (gone.id, gone.object, gone.deleted) == (refunds, "vector_store.file.deleted", True)
    assert await names(harness, store, "refund") == ["1.md"]
    assert (await harness.rs.get_file(refunds)).id == refunds
    for call in (harness.rs.get_store_file, harness.rs.remove_store_file, harness.rs.store_file_content):
        assert (await refusal(call(store.id, refunds))).message == f"No file found with id '{refunds}'."
    await harness.rs.delete_file(boats)
    left = await harness.rs.get_vector_store(store.id)
    assert (left.file_counts, left.usage_bytes) == (FileCounts(), 0)
    assert await names(harness, store, "ferry") == []


async def test_a_file_that_cannot_be_read_says_why(harness: Harness) -> None:
    store = await harness.rs.create_vector_store()
    bad = {"photo.png": "unsupported_file", "cut.pdf": "invalid_file", "blank.txt": "invalid_file"}
    contents = {"photo.png": b"\x89PNG\r\n\x1a\n" + bytes(100), "cut.pdf": b"%PDF-1.7\n1 0 obj", "blank.txt": b" \n "}
    named = {await a_file(harness, contents[name], name): name for name in bad}
    batch = await harness.rs.create_file_batch(store.id, FileBatchRequest(file_ids=list(named)))
    store = await ready(harness, store.id)
    assert (store.file_counts, store.status) == (FileCounts(failed=3, total=3), "completed")
    assert (await harness.rs.get_file_batch(store.id, batch.id)).status == "failed"
    for file in (await harness.rs.store_files(store.id, filter="failed")).data:
        assert file.last_error is not None
        assert (file.last_error.code, file.usage_bytes) == (bad[named[file.id]], 0)
        assert file.last_error.message.endswith(".")
        error = await refusal(harness.rs.store_file_content(store.id, file.id))
        assert isinstance(error, BadRequest)


async def test_a_file_is_added_twice_and_indexed_once(harness: Harness) -> None:
    store = await a_store(harness, REFUNDS)
    [file_id] = await file_ids(harness, store)
    before = await harness.rs.get_store_file(store.id, file_id)
    again = await harness.rs.add_store_file(store.id, StoreFileRequest(file_id=file_id))
    assert again == before
    other = await harness.rs.add_store_file(store.id, StoreFileRequest(file_id=file_id, chunking_strategy=SMALL))
    assert (other.status, other.created_at) == ("in_progress", before.created_at)
    store = await ready(harness, store.id)
    assert store.file_counts == FileCounts(completed=1, total=1)
    assert await names(harness, store, "refund") == ["0.md"]


async def test_a_batch_of_files_has_counts_and_a_list_of_its_own(harness: Harness) -> None:
    store = await a_store(harness, REFUNDS)
    added = [await a_file(harness, BOATS, f"{number}.md") for number in range(3)]
    requests = [StoreFileRequest(file_id=id, attributes={"n": n}) for n, id in enumerate(added)]
    batch = await harness.rs.create_file_batch(store.id, FileBatchRequest(files=requests))
    assert (batch.object, batch.vector_store_id) == ("vector_store.file_batch", store.id)
    assert batch.file_counts.total == 3
    assert (await ready(harness, store.id)).file_counts == FileCounts(completed=4, total=4)
    done = await harness.rs.get_file_batch(store.id, batch.id)
    assert (done.status, done.file_counts) == ("completed", FileCounts(completed=3, total=3))
    page = await harness.rs.batch_files(store.id, batch.id, limit=2, order=SortOrder.ASC)
    assert ([file.id for file in page.data], page.has_more) == (added[:2], True)
    assert [file.attributes for file in page.data] == [{"n": 0}, {"n": 1}]
    rest = await harness.rs.batch_files(store.id, batch.id, after=added[1], order=SortOrder.ASC, filter="completed")
    assert [file.id for file in rest.data] == added[2:]
    cancelled = await harness.rs.cancel_file_batch(store.id, batch.id)  # too late, which is no error
    assert cancelled == done


Call: TypeAlias = Callable[[Harness, VectorStore, str], Any]


def _search(**fields: Any) -> Call:
    return lambda it, store, file: it.rs.search_vector_store(store.id, SearchRequest(**{"query": "q"} | fields))


def _create(**fields: Any) -> Call:
    return lambda it, store, file: it.rs.create_vector_store(VectorStoreRequest(**fields))


def _add(**fields: Any) -> Call:
    return lambda it, store, file: it.rs.add_store_file(store.id, StoreFileRequest(**{"file_id": file} | fields))


def _batch(**fields: Any) -> Call:
    return lambda it, store, file: it.rs.create_file_batch(store.id, FileBatchRequest(**fields))


def _chunks(size: int, overlap: int) -> StaticChunkingRequest:
    return StaticChunkingRequest(static=StaticSizes(max_chunk_size_tokens=size, chunk_overlap_tokens=overlap))


UNKNOWN = "No such File object: file-1"
HALF = "Invalid '{}chunking_strategy.static.chunk_overlap_tokens': it may be at most half of 'max_chunk_size_tokens'."
EITHER = "Invalid 'file_ids': give either 'file_ids' or 'files'."
REFUSED: list[tuple[str, type[ApiError], str, Call]] = [
    ("unknown store", NotFound, "No vector store found with id 'vs_1'.", lambda it, *_: it.rs.get_vector_store("vs_1")),
    ("kind of store", BadRequest, "Invalid 'vector_store_id': 'x'. Expected an ID that begins with 'vs'.",
     lambda it, *_: it.rs.delete_vector_store("x")),
    ("cursor of stores", NotFound, "No vector store found with id 'vs_1'.",
     lambda it, *_: it.rs.vector_stores(after="vs_1")),
    ("cursor of files", NotFound, "No file found with id 'file-1'.",
     lambda it, store, _: it.rs.store_files(store.id, before="file-1")),
    ("unknown batch", NotFound, "No file batch found with id 'vsfb_1'.",
     lambda it, store, _: it.rs.get_file_batch(store.id, "vsfb_1")),
    ("files of an unknown batch", NotFound, "No file batch found with id 'vsfb_1'.",
     lambda it, store, _: it.rs.batch_files(store.id, "vsfb_1")),
    ("cancel of an unknown batch", NotFound, "No file batch found with id 'vsfb_1'.",
     lambda it, store, _: it.rs.cancel_file_batch(store.id, "vsfb_1")),
    ("unknown file of a new store", NotFound, UNKNOWN,
     lambda it, _, file: it.rs.create_vector_store(VectorStoreRequest(file_ids=[file, "file-1"]))),
    ("unknown file", NotFound, UNKNOWN, _add(file_id="file-1")),
    ("unknown file of a batch", NotFound, UNKNOWN,
     lambda it, store, file: it.rs.create_file_batch(store.id, FileBatchRequest(file_ids=[file, "file-1"]))),
    ("odd id in a batch", NotFound, "No such File object: \U0001f4a9", _batch(file_ids=["\U0001f4a9"])),
    ("both lists", BadRequest, EITHER,
     lambda it, store, file: it.rs.create_file_batch(
         store.id, FileBatchRequest(file_ids=[file], files=[StoreFileRequest(file_id=file)]))),
    ("no list", BadRequest, EITHER, _batch()),
    ("overlap", BadRequest, HALF.format(""), _add(chunking_strategy=_chunks(100, 51))),
    ("overlap in a list", BadRequest, HALF.format("files[0]."),
     _batch(files=[StoreFileRequest(file_id="file-1", chunking_strategy=_chunks(200, 101))])),
    ("file is not in the store", NotFound, "No file found with id 'file-1'.",
     lambda it, store, _: it.rs.update_store_file(store.id, "file-1", {})),
    ("values of a filter", BadRequest, "Invalid 'filters': a filter may have at most 2000 values.",
     _search(filters=AndFilter(filters=[InFilter(key="a", value=list(range(1000)))] * 3))),
]  # fmt: skip
OF_THE_WIRE: list[tuple[str, type[ApiError], str, Call]] = [
    ("chunk size", BadRequest, "Invalid 'chunking_strategy.static.max_chunk_size_tokens': integer below minimum value. "
     "Expected a value >= 100, but got 99 instead.", _add(chunking_strategy=_chunks(99, 0))),
    ("days", BadRequest, "Invalid 'expires_after.days': integer above maximum value. Expected a value <= 365, but got "
     "366 instead.", _create(expires_after=StoreExpiry(anchor="last_active_at", days=366))),
    ("too many files", BadRequest, "Invalid 'file_ids': array too long. Expected an array with maximum length 500, but "
     "got an array with length 501 instead.", _create(file_ids=["file-1"] * 501)),
    ("too large a batch", BadRequest, "Invalid 'file_ids': array too long. Expected an array with maximum length 2000, "
     "but got an array with length 2001 instead.", _batch(file_ids=["file-1"] * 2001)),
    ("attributes", BadRequest, "Invalid 'attributes': too many properties. Expected an object with at most 16 "
     "properties, but got an object with 17 properties instead.", _add(attributes={str(n): n for n in range(17)})),
    ("attribute", BadRequest, "Invalid 'attributes.a': string too long. Expected a string with maximum length 512, but "
     "got a string with length 513 instead.", _add(attributes={"a": "x" * 513})),
    ("results", BadRequest, "Invalid 'max_num_results': integer above maximum value. Expected a value <= 50, but got "
     "51 instead.", _search(max_num_results=51)),
    ("threshold", BadRequest, "Invalid 'ranking_options.score_threshold': decimal above maximum value. Expected a "
     "value <= 1, but got 1.5 instead.", _search(ranking_options=SearchRanking(score_threshold=1.5))),
]  # fmt: skip


async def test_bad_input_is_refused_and_changes_nothing(harness: Harness, request: pytest.FixtureRequest) -> None:
    store, file = await harness.rs.create_vector_store(), await a_file(harness)
    validating = "engine" not in request.node.name  # the server and `open` check types, the engine does not
    for what, kind, message, call in [*REFUSED, *(OF_THE_WIRE if validating else ())]:
        error = await refusal(call(harness, store, file))
        assert (type(error), error.message) == (kind, message), what
    assert [each.id for each in (await harness.rs.vector_stores()).data] == [store.id]
    assert (await harness.rs.get_vector_store(store.id)).file_counts == FileCounts()
