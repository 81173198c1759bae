"""The files of vector stores: listed by status, and counted in the transaction that changes them."""

from typing import Any

from msgspec.structs import replace

from runstead.store.port import Store, Tx
from runstead.wire.struct import SortOrder
from runstead.wire.vector_store import FileBatch, FileCounts, StoreFile, StoreFileError, StoreFileQuery
from tests.store.things import MINE, THEIRS
from tests.store.vector_store_rows import NOW, add_files, add_stores, file, shown, vector_store


async def listed(store: Store, batch_id: str | None = None, **query: Any) -> list[str] | None:
    asked = StoreFileQuery(**query)
    page = await store.read(lambda tx: tx.store_files.page(MINE, "vs_1", asked, batch_id))
    return None if page is None else [each.id.removeprefix("file-") for each in page.data]


async def finish_next(store: Store, usage: int = 0, error: StoreFileError | None = None) -> StoreFile:
    """Claim the file that is due longest, and finish it."""

    async def work(tx: Tx) -> StoreFile:
        job = await tx.store_files.claim(MINE, NOW, NOW + 60)
        assert job is not None
        assert await tx.store_files.finish(job, usage, error)
        return job.file

    return await store.write(work)


async def counts(store: Store) -> dict[str, int]:
    """The counts and the usage of the store, without zeros."""
    seen = await shown(store)
    known = {name: getattr(seen.file_counts, name) for name in FileCounts.__struct_fields__}
    return {name: number for name, number in (known | {"usage_bytes": seen.usage_bytes}).items() if number}


async def test_a_file_is_found_in_its_store_and_project_alone(store: Store) -> None:
    await add_stores(store, vector_store(), vector_store("vs_2"))
    kept = file(attributes={"a": "\U0001f4a9", "b": 1.5, "c": True})
    await add_files(store, kept)
    await add_files(store, file(1, "vs_2"))
    assert await store.read(lambda tx: tx.store_files.get(MINE, "vs_1", "file-1")) == kept
    assert await store.read(lambda tx: tx.store_files.get(THEIRS, "vs_1", "file-1")) is None
    many = ["file-1", "file-9"]
    assert await store.read(lambda tx: tx.store_files.get_many(MINE, "vs_1", many)) == {"file-1": kept}
    assert await store.read(lambda tx: tx.store_files.get_many(THEIRS, "vs_1", many)) == {}
    assert sorted(await store.read(lambda tx: tx.store_files.stores_of(MINE, "file-1"))) == ["vs_1", "vs_2"]
    assert await store.read(lambda tx: tx.store_files.stores_of(THEIRS, "file-1")) == []
    assert not await store.write(lambda tx: tx.store_files.remove(THEIRS, "vs_1", "file-1", NOW))
    assert not await store.write(lambda tx: tx.store_files.replace(THEIRS, kept))


async def test_lists_are_in_order_and_by_status(store: Store) -> None:
    await add_stores(store, vector_store())
    await add_files(store, *(file(n) for n in range(1, 6)))
    for _ in range(2):
        await finish_next(store)
    assert await listed(store) == ["5", "4", "3", "2", "1"]
    assert await listed(store, order=SortOrder.ASC, limit=2, after="file-2") == ["3", "4"]
    assert await listed(store, filter="completed") == ["2", "1"]
    assert await listed(store, filter="in_progress", after="file-4", order=SortOrder.ASC) == ["5"]
    assert await listed(store, filter="completed", before="file-1", limit=1) == ["2"]
    assert await listed(store, filter="failed") == []
    assert await listed(store, after="file-9") is None


async def test_the_counts_of_a_store_are_true_after_every_change(store: Store) -> None:
    await add_stores(store, vector_store())
    await add_files(store, *(file(n) for n in range(1, 5)))
    assert await counts(store) == {"in_progress": 4, "total": 4}
    assert (await shown(store)).status == "in_progress"
    await finish_next(store, 10)
    await finish_next(store, 7)
    reason = StoreFileError(code="invalid_file", message="no text")
    failed = await finish_next(store, 0, reason)
    assert await counts(store) == {"in_progress": 1, "completed": 2, "failed": 1, "total": 4, "usage_bytes": 17}
    seen = await store.read(lambda tx: tx.store_files.get(MINE, "vs_1", failed.id))
    assert seen is not None
    assert (seen.status, seen.last_error) == ("failed", reason)
    await add_files(store, file(1))  # completed before, and indexed again
    assert await counts(store) == {"in_progress": 2, "completed": 1, "failed": 1, "total": 4, "usage_bytes": 7}
    for number in (2, 3, 4):
        assert await store.write(lambda tx, n=number: tx.store_files.remove(MINE, "vs_1", f"file-{n}", NOW))  # type: ignore[misc]
    assert not await store.write(lambda tx: tx.store_files.remove(MINE, "vs_1", "file-4", NOW))
    assert await counts(store) == {"in_progress": 1, "total": 1}
    await finish_next(store, 3)
    assert await counts(store) == {"completed": 1, "total": 1, "usage_bytes": 3}
    assert (await shown(store)).status == "completed"


async def test_new_attributes_survive_the_end_of_an_ingestion(store: Store) -> None:
    await add_stores(store, vector_store())
    await add_files(store, file(attributes={"a": "old"}))
    job = await store.write(lambda tx: tx.store_files.claim(MINE, NOW, NOW + 60))
    assert job is not None
    changed = replace(job.file, attributes={"a": "new"})
    assert await store.write(lambda tx: tx.store_files.replace(MINE, changed))
    assert await store.write(lambda tx: tx.store_files.finish(job, 5, None))
    seen = await store.read(lambda tx: tx.store_files.get(MINE, "vs_1", "file-1"))
    assert seen == replace(changed, status="completed", usage_bytes=5)


async def test_a_batch_counts_and_lists_its_files_and_can_be_cancelled(store: Store) -> None:
    await add_stores(store, vector_store())
    for id in ("vsfb_1", "vsfb_2"):
        batch = FileBatch(id=id, created_at=NOW, vector_store_id="vs_1", file_counts=FileCounts())
        await store.write(lambda tx, batch=batch: tx.file_batches.insert(MINE, batch))  # type: ignore[misc]

    async def seen(id: str = "vsfb_1", project: str = MINE, store_id: str = "vs_1") -> FileBatch | None:
        return await store.read(lambda tx: tx.file_batches.get(project, store_id, id))

    assert (await seen("vsfb_3"), await seen(project=THEIRS), await seen(store_id="vs_2")) == (None, None, None)
    await add_files(store, file(1), file(2), file(3), batch_id="vsfb_1")
    await add_files(store, file(4), batch_id="vsfb_2")
    await finish_next(store, 5)
    going_on = await seen()
    assert going_on is not None
    assert (going_on.status, going_on.file_counts) == ("in_progress", FileCounts(in_progress=2, completed=1, total=3))
    assert await listed(store, "vsfb_1") == ["3", "2", "1"]
    assert await listed(store, "vsfb_1", filter="in_progress", order=SortOrder.ASC) == ["2", "3"]
    assert await store.write(lambda tx: tx.file_batches.cancel(THEIRS, "vs_1", "vsfb_1")) == 0
    assert await store.write(lambda tx: tx.file_batches.cancel(MINE, "vs_1", "vsfb_1")) == 2
    assert await store.write(lambda tx: tx.file_batches.cancel(MINE, "vs_1", "vsfb_1")) == 0
    cancelled = await seen()
    assert cancelled is not None
    assert (cancelled.status, cancelled.file_counts) == ("cancelled", FileCounts(cancelled=2, completed=1, total=3))
    assert await counts(store) == {"in_progress": 1, "completed": 1, "cancelled": 2, "total": 4, "usage_bytes": 5}
    assert await listed(store, filter="cancelled") == ["3", "2"]


async def test_the_checker_reads_the_files_of_all_stores(store: Store) -> None:
    await add_stores(store, vector_store(), vector_store("vs_3"))
    await add_stores(store, vector_store("vs_2"), project=THEIRS)
    await add_files(store, file(1), file(2))
    await add_files(store, file(1, "vs_3"))
    await add_files(store, file(1, "vs_2"), project=THEIRS)
    first = await store.read(lambda tx: tx.store_files.audit(("", ""), 3))
    assert [(project, each.vector_store_id, each.id) for project, each in first] == [
        (MINE, "vs_1", "file-1"),
        (MINE, "vs_1", "file-2"),
        (THEIRS, "vs_2", "file-1"),
    ]
    rest = await store.read(lambda tx: tx.store_files.audit(("vs_2", "file-1"), 3))
    assert [each.vector_store_id for _, each in rest] == ["vs_3"]
