"""Ingestion: projects in turns, retries of temporary errors, whole files only, and a stop when the file is removed."""

from pathlib import Path

import pytest

from runstead.blobs.local import LocalBlobs
from runstead.retrieval.documents.port import DocumentError
from runstead.retrieval.embeddings.port import EmbeddingError
from runstead.store.port import Tx
from runstead.store.sqlite import SqliteStore
from runstead.wire.error import Unreachable
from runstead.wire.vector_store import FileBatchRequest, FileCounts, StoreFileRequest, VectorStoreRequest
from tests.engine.ingestion import PlainReader, found_in, idle, searching, status_of, store_with, upload_text, wake
from tests.store.vector_store_rows import file as file_row
from tests.support.callers import project_of
from tests.support.retrieval import HashingEmbeddings
from tests.support.waiting import until
from tests.support.worlds import World


async def counts(here: World, store_id: str) -> FileCounts:
    return (await here.project.get_vector_store(store_id)).file_counts


async def test_projects_take_turns() -> None:
    """A project that adds many files at once delays another one by a file, not by all of them."""
    reader = PlainReader()
    reader.close()
    async with searching(reader=reader, workers=1) as here:
        await store_with(here.project, ["first"] * 6, prefix="mine")
        await until(lambda: reader.waiting == 1)
        other = project_of(here.application, "another")
        store_id, _ = await store_with(other, ["second"] * 2, prefix="theirs")
        reader.open()

        async def done() -> bool:
            return (await other.get_vector_store(store_id)).file_counts.completed == 2

        await until(done)
        theirs = [place for place, name in enumerate(reader.read_names) if name.startswith("theirs")]
        assert theirs == [1, 3]


async def test_as_many_files_as_there_are_workers_are_read_at_once() -> None:
    reader = PlainReader()
    reader.close()
    async with searching(reader=reader, workers=2) as here:
        store_id, file_ids = await store_with(here.project, ["a", "b", "c"])
        await until(lambda: reader.waiting == 2)
        assert await counts(here, store_id) == FileCounts(in_progress=3, total=3)
        reader.open()
        await status_of(here.project, store_id, file_ids[2])
        assert len(reader.read_names) == 3


PASSING = [
    EmbeddingError("too many requests", rate_limited=True, retry_after=3),
    EmbeddingError("the server is away"),
    Unreachable("the index is away"),
    DocumentError("server_error", "The file could not be read because of a failure on the server."),
    RuntimeError("unexpected"),
]


@pytest.mark.parametrize("failure", PASSING, ids=lambda each: str(each)[:20])
async def test_temporary_errors_are_retried(failure: Exception) -> None:
    reader, embeddings = PlainReader(), HashingEmbeddings()
    (reader.failures if isinstance(failure, DocumentError) else embeddings.failures).append(failure)
    async with searching(reader=reader, embeddings=embeddings) as here:
        store_id, [file_id] = await store_with(here.project, ["a ferry"])
        await until(lambda: not reader.failures and not embeddings.failures and idle())
        assert await found_in(here.project, store_id, "ferry") == []
        await here.clock.advance(5)
        wake(here)
        file = await status_of(here.project, store_id, file_id)
        assert file.last_error is None
        assert await found_in(here.project, store_id, "ferry") == ["0.txt"]


@pytest.mark.parametrize(
    ("failure", "shown"),
    [
        (EmbeddingError("the server is away"), "the server is away"),
        (
            Unreachable("cannot use the files in /srv/secret"),
            "The server could not use its storage or its search index. Add the file again.",
        ),
        (OSError("/srv/secret"), "The server failed when it indexed the file. Add the file again."),
    ],
    ids=["embeddings", "away", "unexpected"],
)
async def test_attempts_are_bounded_and_the_last_reason_is_shown(failure: Exception, shown: str) -> None:
    """A reason that names what belongs to the server, such as a path, is for its log alone."""
    embeddings = HashingEmbeddings(failures=[failure] * 12)
    async with searching(embeddings=embeddings) as here:
        store_id, [file_id] = await store_with(here.project, ["a ferry"])
        for left in range(11, -1, -1):
            await until(lambda left=left: len(embeddings.failures) == left and idle())
            await here.clock.advance(600)
            wake(here)
        file = await status_of(here.project, store_id, file_id, "failed")
        assert file.last_error is not None
        assert (file.last_error.code, file.last_error.message) == ("server_error", shown)
        again = await here.project.add_store_file(store_id, StoreFileRequest(file_id=file_id))
        assert (again.status, again.last_error) == ("in_progress", None)
        await status_of(here.project, store_id, file_id)


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (DocumentError("unsupported_file", "no such format"), "unsupported_file"),
        (DocumentError("invalid_file", "no text"), "invalid_file"),
        (EmbeddingError("no such model", permanent=True), "server_error"),
    ],
)
async def test_permanent_errors_fail_at_once(failure: Exception, code: str) -> None:
    reader, embeddings = PlainReader(), HashingEmbeddings()
    (reader.failures if isinstance(failure, DocumentError) else embeddings.failures).append(failure)
    async with searching(reader=reader, embeddings=embeddings) as here:
        store_id, [file_id] = await store_with(here.project, ["a ferry"])
        file = await status_of(here.project, store_id, file_id, "failed")
        assert file.last_error is not None
        assert (file.last_error.code, file.usage_bytes) == (code, 0)


async def test_a_cancelled_batch_is_not_ingested() -> None:
    reader = PlainReader()
    reader.close()
    async with searching(reader=reader, workers=1) as here:
        store_id, _ = await store_with(here.project, [])
        files = [await upload_text(here.project, "a ferry", f"{n}.txt") for n in range(3)]
        batch = await here.project.create_file_batch(store_id, FileBatchRequest(file_ids=files))
        await until(lambda: reader.waiting == 1)
        cancelled = await here.project.cancel_file_batch(store_id, batch.id)
        assert (cancelled.status, cancelled.file_counts) == ("cancelled", FileCounts(cancelled=3, total=3))
        await here.clock.advance(10)  # the claim is found to be lost
        await until(lambda: reader.waiting == 0)
        reader.open()
        other, [last] = await store_with(here.project, ["the last"])
        await status_of(here.project, other, last)
        assert reader.read_names == ["0.txt", "0.txt"]
        assert await found_in(here.project, store_id, "ferry") == []
        assert await counts(here, store_id) == FileCounts(cancelled=3, total=3)


async def test_a_file_that_is_removed_while_it_is_read_is_not_found() -> None:
    reader = PlainReader()
    reader.close()
    async with searching(reader=reader) as here:
        store_id, [file_id] = await store_with(here.project, ["a ferry"])
        await until(lambda: reader.waiting == 1)
        await here.project.remove_store_file(store_id, file_id)
        reader.open()
        await here.project.add_store_file(store_id, StoreFileRequest(file_id=file_id))
        await status_of(here.project, store_id, file_id)
        assert await found_in(here.project, store_id, "ferry") == ["0.txt"]
        await here.project.delete_file(file_id)
        assert await found_in(here.project, store_id, "ferry") == []
        assert await counts(here, store_id) == FileCounts()


async def test_a_text_is_read_once_for_all_stores() -> None:
    reader = PlainReader()
    async with searching(reader=reader) as here:
        store_id, [file_id] = await store_with(here.project, ["a ferry \U0001f4a9"])
        await status_of(here.project, store_id, file_id)
        other = await here.project.create_vector_store(VectorStoreRequest(file_ids=[file_id]))
        await status_of(here.project, other.id, file_id)
        assert reader.read_names == ["0.txt"]
        [part] = (await here.project.store_file_content(other.id, file_id)).data
        assert part.text == "a ferry \U0001f4a9"


async def test_an_ingestion_goes_on_after_its_process_has_stopped(tmp_path: Path) -> None:
    """A claim that was not released, as after kill -9, does not delay the next process."""
    path, folder = tmp_path / "runstead.db", tmp_path / "blobs"
    async with searching(store=SqliteStore(path), blobs=LocalBlobs(folder)) as here:
        store_id, _ = await store_with(here.project, [])
        file_id = await upload_text(here.project, "a ferry")
        await claimed(here, store_id, file_id, until=here.adapters.now() + 10_000)
    async with searching(store=SqliteStore(path), blobs=LocalBlobs(folder)) as here:
        await status_of(here.project, store_id, file_id)
        assert await found_in(here.project, store_id, "ferry") == ["a.txt"]


async def claimed(here: World, store_id: str, file_id: str, *, until: int, times: int = 1) -> None:
    """Add a file as if another process had claimed it, and had ended before any outcome."""
    place, now = (here.project._project, store_id), here.adapters.now()

    async def work(tx: Tx) -> None:
        await tx.vector_stores.get(*place, now)
        await tx.store_files.add(place[0], [file_row(store_id=store_id, id=file_id)], now)
        for _ in range(times):
            assert await tx.store_files.claim(place[0], now, until) is not None

    await here.adapters.store.write(work)


async def test_a_file_that_always_ends_its_process_fails_in_the_end() -> None:
    async with searching() as here:
        store_id, _ = await store_with(here.project, [])
        file_id = await upload_text(here.project, "a ferry")
        await claimed(here, store_id, file_id, until=here.adapters.now(), times=12)
        file = await status_of(here.project, store_id, file_id, "failed")
        assert file.last_error is not None
        assert file.last_error.message == "The server stopped whenever it began with this file."
