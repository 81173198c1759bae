"""The queue of ingestion: files are due at a time, and a claim that was lost changes nothing."""

import asyncio

import pytest

from runstead.store.port import IngestionJob, Store
from tests.store.things import MINE, THEIRS
from tests.store.vector_store_rows import NOW, add_files, add_stores, file, shown, vector_store

UNTIL = NOW + 60


async def claim(store: Store, now: int = NOW, project: str = MINE) -> IngestionJob | None:
    return await store.write(lambda tx: tx.store_files.claim(project, now, now + 60))


async def claimed(store: Store, now: int = NOW, project: str = MINE) -> IngestionJob:
    job = await claim(store, now, project)
    assert job is not None
    return job


async def due(store: Store, now: int = NOW) -> list[str]:
    return sorted(await store.read(lambda tx: tx.store_files.due_projects(now)))


async def test_the_file_that_is_due_longest_is_claimed_first_and_once(store: Store) -> None:
    await add_stores(store, vector_store())
    await add_files(store, file(2), file(3))
    await add_files(store, file(1), now=NOW - 1)
    jobs = [await claimed(store) for _ in range(3)]
    assert [job.file.id for job in jobs] == ["file-1", "file-2", "file-3"]
    assert {job.attempts for job in jobs} == {1}
    assert await claim(store) is None
    assert await claim(store, UNTIL - 1) is None
    again = await claimed(store, UNTIL)
    assert (again.file, again.attempts) == (jobs[1].file, 2)


async def test_every_project_with_due_files_is_listed(store: Store) -> None:
    assert await due(store) == []
    await add_stores(store, vector_store())
    await add_stores(store, vector_store("vs_2"), project=THEIRS)
    await add_files(store, *(file(n) for n in range(3)))
    await add_files(store, file(1, "vs_2"), project=THEIRS, now=NOW + 5)
    assert (await due(store), await due(store, NOW - 1), await due(store, NOW + 5)) == (
        [MINE],
        [],
        sorted([MINE, THEIRS]),
    )
    assert await claim(store, project=THEIRS) is None
    assert (await claimed(store, NOW + 5, THEIRS)).project == THEIRS
    assert await due(store, NOW + 5) == [MINE]
    for _ in range(3):
        await claimed(store)
    assert await due(store) == []


async def test_claims_at_the_same_time_get_different_files(store: Store) -> None:
    await add_stores(store, vector_store())
    await add_files(store, *(file(n) for n in range(10)))
    jobs = await asyncio.gather(*(claimed(store) for _ in range(10)))
    assert len({job.file.id for job in jobs}) == 10
    done = await asyncio.gather(*(store.write(lambda tx, j=job: tx.store_files.finish(j, 1, None)) for job in jobs))  # type: ignore[misc]
    assert all(done)
    seen = await shown(store)
    assert (seen.file_counts.completed, seen.file_counts.in_progress, seen.usage_bytes) == (10, 0, 10)


async def test_a_renewed_claim_is_not_claimed_again(store: Store) -> None:
    await add_stores(store, vector_store())
    await add_files(store, file())
    job = await claimed(store)
    assert await store.write(lambda tx: tx.store_files.renew(job, UNTIL + 60))
    assert await claim(store, UNTIL) is None
    assert await store.write(lambda tx: tx.store_files.retry(job, NOW + 1))
    assert (await claimed(store, NOW + 1)).attempts == 2


@pytest.mark.parametrize("loss", ["claimed again", "cancelled", "removed", "added again", "finished"])
async def test_a_lost_claim_changes_nothing(store: Store, loss: str) -> None:
    await add_stores(store, vector_store())
    await add_files(store, file(), batch_id="vsfb_1")
    job = await claimed(store)
    match loss:
        case "claimed again":
            await claimed(store, UNTIL)
        case "cancelled":
            assert await store.write(lambda tx: tx.file_batches.cancel(MINE, "vs_1", "vsfb_1")) == 1
        case "removed":
            assert await store.write(lambda tx: tx.store_files.remove(MINE, "vs_1", "file-1", NOW))
        case "added again":
            await add_files(store, file())
        case "finished":
            assert await store.write(lambda tx: tx.store_files.finish(job, 9, None))
    before = await shown(store)
    file_before = await store.read(lambda tx: tx.store_files.get(MINE, "vs_1", "file-1"))
    assert not await store.write(lambda tx: tx.store_files.renew(job, UNTIL + 60))
    assert not await store.write(lambda tx: tx.store_files.retry(job, UNTIL + 60))
    assert not await store.write(lambda tx: tx.store_files.finish(job, 5, None))
    assert await shown(store) == before
    assert await store.read(lambda tx: tx.store_files.get(MINE, "vs_1", "file-1")) == file_before


async def test_completed_files_are_made_due_again(store: Store) -> None:
    await add_stores(store, vector_store())
    await add_files(store, file(1), file(2))
    job = await claimed(store)
    assert await store.write(lambda tx: tx.store_files.finish(job, 5, None))
    every = ["file-1", "file-2", "file-9"]
    assert await store.write(lambda tx: tx.store_files.renew_completed(MINE, "vs_1", every, NOW)) == 1
    assert (await shown(store)).file_counts.in_progress == 2
    assert {(await claimed(store)).file.id for _ in range(2)} == {"file-1", "file-2"}
