"""Vector stores with the official client."""

from pathlib import Path

import pytest
from openai import BadRequestError, NotFoundError, OpenAI

from runstead import bootstrap
from tests.compat.script import refused
from tests.support.retrieval import HashingEmbeddings

REFUNDS = "# Refunds\n\nA refund takes five working days.\n"
BOATS = "# Boats\n\nThe ferry to Bergen leaves on Mondays.\n"


@pytest.fixture(autouse=True)
def _without_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model takes seconds to load. Tests of the command line use it."""
    monkeypatch.setattr(bootstrap, "_local_embeddings", HashingEmbeddings)


def test_a_file_is_uploaded_polled_searched_and_read(client: OpenAI, tmp_path: Path) -> None:
    store = client.vector_stores.create(
        name="Support",
        expires_after={"anchor": "last_active_at", "days": 7},
        metadata={"team": "support"},
        chunking_strategy={"type": "auto"},
    )
    assert (store.status, store.usage_bytes, store.file_counts.total) == ("completed", 0, 0)
    (tmp_path / "refunds.md").write_text(REFUNDS)
    file = client.vector_stores.files.upload_and_poll(
        vector_store_id=store.id,
        file=tmp_path / "refunds.md",
        attributes={"year": 2026, "draft": False},
        chunking_strategy={"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 50}},
    )
    assert (file.status, file.last_error, file.object) == ("completed", None, "vector_store.file")
    assert file.attributes == {"year": 2026, "draft": False}
    assert file.chunking_strategy is not None
    assert file.chunking_strategy.type == "static"
    store = client.vector_stores.retrieve(store.id)
    assert (store.file_counts.completed, store.usage_bytes) == (1, file.usage_bytes)

    [result] = client.vector_stores.search(
        store.id,
        query="refund",
        rewrite_query=True,
        max_num_results=3,
        filters={
            "type": "and",
            "filters": [{"type": "gte", "key": "year", "value": 2026}, {"type": "ne", "key": "draft", "value": True}],
        },
        ranking_options={"ranker": "auto", "score_threshold": 0.01},
    )
    assert (result.filename, result.file_id, result.content[0].text) == ("refunds.md", file.id, REFUNDS.strip())
    assert result.attributes == {"year": 2026, "draft": False}
    assert [part.text for part in client.vector_stores.files.content(file.id, vector_store_id=store.id)] == [
        REFUNDS.strip()
    ]
    changed = client.vector_stores.files.update(file.id, vector_store_id=store.id, attributes={"year": 1.5})
    assert changed.attributes == {"year": 1.5}
    assert client.vector_stores.files.delete(file.id, vector_store_id=store.id).deleted
    assert client.files.retrieve(file.id).id == file.id
    assert client.vector_stores.update(store.id, name="New").name == "New"
    assert client.vector_stores.delete(store.id).deleted
    with refused(NotFoundError, f"No vector store found with id '{store.id}'."):
        client.vector_stores.retrieve(store.id)


def test_a_batch_is_uploaded_and_polled(client: OpenAI) -> None:
    store = client.vector_stores.create()
    batch = client.vector_stores.file_batches.upload_and_poll(
        store.id, files=[("a.md", REFUNDS.encode()), ("b.md", BOATS.encode()), ("c.png", b"\x89PNG\r\n\x1a\n")]
    )
    assert (batch.status, batch.file_counts.completed, batch.file_counts.failed) == ("completed", 2, 1)
    files = client.vector_stores.file_batches.list_files(batch.id, vector_store_id=store.id, filter="failed")
    [failed] = files
    assert failed.last_error is not None
    assert failed.last_error.code == "unsupported_file"
    assert len(list(client.vector_stores.files.list(store.id, limit=1))) == 3
    assert [store.id for store in client.vector_stores.list()] == [store.id]
    assert client.vector_stores.file_batches.cancel(batch.id, vector_store_id=store.id).status == "completed"
    two = client.vector_stores.file_batches.create_and_poll(
        store.id, files=[{"file_id": failed.id, "attributes": {"again": True}}]
    )
    assert two.file_counts.failed == 1
    results = client.vector_stores.search(store.id, query=["ferry", "refund"])
    assert {each.filename for each in results} == {"a.md", "b.md"}


def test_bad_input_has_the_words_of_the_contract(client: OpenAI) -> None:
    store = client.vector_stores.create()
    with refused(NotFoundError, "No such File object: file-1", param="id"):
        client.vector_stores.files.create(store.id, file_id="file-1")
    with refused(
        BadRequestError,
        "Invalid 'max_num_results': integer above maximum value. Expected a value <= 50, but got 51 instead.",
        param="max_num_results",
        code="integer_above_max_value",
    ):
        client.vector_stores.search(store.id, query="x", max_num_results=51)
    with pytest.raises(BadRequestError, match="Supported values are: .eq., .ne."):
        client.vector_stores.search(store.id, query="x", filters={"type": "like", "key": "a", "value": "b"})  # type: ignore[arg-type]
