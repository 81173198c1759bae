"""Vector stores: in order, with a status at a time, and removed with all that belongs to them."""

from msgspec.structs import replace

from runstead.store.port import Store, Tx
from runstead.wire.page import ListQuery
from runstead.wire.struct import SortOrder
from runstead.wire.vector_store import FileBatch, FileCounts, StoreExpiry, StoreFileQuery
from tests.store.things import MINE, THEIRS, remove_deleted
from tests.store.vector_store_rows import NOW, add_files, add_stores, file, shown, vector_store

DAY = 86_400
WEEK = StoreExpiry(anchor="last_active_at", days=7)


async def listed(store: Store, **query: object) -> list[str] | None:
    asked = ListQuery(**query)  # type: ignore[arg-type]
    page = await store.read(lambda tx: tx.vector_stores.page(MINE, asked, NOW))
    return None if page is None else [each.id for each in page.data]


async def test_a_store_is_found_in_its_project_alone(store: Store) -> None:
    row = replace(vector_store(description="d", metadata={"a": "b"}), embedding_model="m", dimension=384)
    await add_stores(store, row)
    assert await store.read(lambda tx: tx.vector_stores.get(MINE, "vs_1", NOW)) == row
    assert await store.read(lambda tx: tx.vector_stores.get(THEIRS, "vs_1", NOW)) is None
    assert not await store.write(lambda tx: tx.vector_stores.replace(THEIRS, row))
    assert not await store.write(lambda tx: tx.vector_stores.delete(THEIRS, "vs_1", NOW))
    await store.write(lambda tx: tx.vector_stores.use(THEIRS, "vs_1", NOW + 9))
    assert (await shown(store)).last_active_at == NOW


async def test_lists_are_in_the_order_of_insertion(store: Store) -> None:
    await add_stores(store, *(vector_store(f"vs_{n}", created_at=9 - n) for n in range(1, 6)))
    await add_stores(store, vector_store("vs_9"), project=THEIRS)
    assert await listed(store) == ["vs_5", "vs_4", "vs_3", "vs_2", "vs_1"]
    assert await listed(store, order=SortOrder.ASC, limit=2, after="vs_2") == ["vs_3", "vs_4"]
    assert await listed(store, limit=2, before="vs_2") == ["vs_4", "vs_3"]
    assert await listed(store, after="vs_9") is None


async def test_a_store_expires_some_days_after_its_last_use(store: Store) -> None:
    await add_stores(store, vector_store(expires_after=WEEK), vector_store("vs_2"))
    end = NOW + 7 * DAY
    assert ((await shown(store)).expires_at, (await shown(store, "vs_2")).expires_at) == (end, None)
    assert [(await shown(store, now=at)).status for at in (end - 1, end)] == ["completed", "expired"]
    await store.write(lambda tx: tx.vector_stores.use(MINE, "vs_1", NOW + DAY))
    await store.write(lambda tx: tx.vector_stores.use(MINE, "vs_1", NOW))
    used = await shown(store)
    assert (used.last_active_at, used.expires_at) == (NOW + DAY, end + DAY)
    await store.write(lambda tx: tx.vector_stores.use(MINE, "vs_1", end + DAY))
    assert (await shown(store)).last_active_at == NOW + DAY
    row = vector_store(last_active_at=end, expires_after=None)
    assert await store.write(lambda tx: tx.vector_stores.replace(MINE, row))
    assert (await shown(store, now=end + 99 * DAY)).status == "completed"


async def test_expired_stores_are_found_until_their_files_are_removed(store: Store) -> None:
    await add_stores(store, *(vector_store(f"vs_{n}", expires_after=WEEK) for n in (1, 2)), vector_store("vs_3"))
    await add_files(store, file(1), file(2), file(3))
    await add_files(store, file(1, "vs_3"))
    end = NOW + 7 * DAY

    async def expired(at: int) -> list[tuple[str, str]]:
        return await store.read(lambda tx: tx.vector_stores.expired(at, 10))

    assert (await expired(end - 1), await expired(end)) == ([], [(MINE, "vs_1")])
    assert await store.write(lambda tx: tx.store_files.remove_some(MINE, "vs_1", 2, end)) == 2
    assert (await shown(store)).file_counts == FileCounts(in_progress=1, total=1)
    assert await store.write(lambda tx: tx.store_files.remove_some(MINE, "vs_1", 2, end)) == 1
    assert await expired(end) == []
    assert (await shown(store, now=end)).file_counts == FileCounts()
    removals = await store.read(lambda tx: tx.vector_stores.removals(10))
    assert [(each.store_id, each.file_id) for each in removals] == [("vs_1", f"file-{n}") for n in (1, 2, 3)]


async def test_a_removal_is_listed_until_the_index_has_made_it(store: Store) -> None:
    for place in ((MINE, "vs_1", "file-1"), (THEIRS, "vs_2", None), (MINE, "vs_1", "file-1")):
        await store.write(lambda tx, place=place: tx.vector_stores.mark_removal(*place))  # type: ignore[misc]
    first, second, third = await store.read(lambda tx: tx.vector_stores.removals(10))
    assert (first.project, first.store_id, first.file_id) == (MINE, "vs_1", "file-1")
    assert (second.project, second.store_id, second.file_id) == (THEIRS, "vs_2", None)
    await store.write(lambda tx: tx.vector_stores.removed([first.number, third.number]))
    assert await store.read(lambda tx: tx.vector_stores.removals(10)) == [second]


async def test_a_deleted_store_is_gone_at_once_and_its_rows_are_removed(store: Store) -> None:
    await add_stores(store, vector_store(), vector_store("vs_2"))
    batch = FileBatch(id="vsfb_1", created_at=NOW, vector_store_id="vs_1", file_counts=FileCounts())
    await store.write(lambda tx: tx.file_batches.insert(MINE, batch))
    await add_files(store, *(file(n) for n in range(1, 8)), batch_id="vsfb_1")
    await add_files(store, file(1, "vs_2"))
    job = await store.write(lambda tx: tx.store_files.claim(MINE, NOW, NOW + 60))
    assert job is not None
    assert job.file.vector_store_id == "vs_1"
    assert await store.write(lambda tx: tx.vector_stores.delete(MINE, "vs_1", NOW))
    assert not await store.write(lambda tx: tx.vector_stores.delete(MINE, "vs_1", NOW))
    assert await store.read(lambda tx: tx.vector_stores.get(MINE, "vs_1", NOW)) is None
    assert not await store.write(lambda tx: tx.store_files.finish(job, 5, None))
    assert [each.file_id for each in await store.read(lambda tx: tx.vector_stores.removals(9))] == [None]
    await remove_deleted(store, NOW)

    async def rest(tx: Tx) -> tuple[object, object]:
        page = await tx.store_files.page(MINE, "vs_1", StoreFileQuery())
        assert page is not None
        return list(page.data), await tx.file_batches.get(MINE, "vs_1", "vsfb_1")

    assert await store.read(rest) == ([], None)
    assert (await shown(store, "vs_2")).file_counts.total == 1
