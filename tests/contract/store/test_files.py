"""Files: found by project until they expire, counted exactly, and their blobs marked once they are gone."""

import asyncio
from typing import Any

from runstead.store.port import FileRow, Store, Tx
from runstead.wire.file import File, FileQuery
from runstead.wire.page import Page
from runstead.wire.struct import SortOrder
from tests.store.things import MINE, THEIRS

NOW = 1000


def row(number: int = 1, **fields: Any) -> FileRow:
    known: dict[str, Any] = {"bytes": 10, "created_at": 100, "filename": "ä \U0001f4a9.txt", "purpose": "assistants"}
    return FileRow(file=File(id=f"file-{number}", **known | fields), blob=f"blob_{number}", sha256="00")


async def add(store: Store, *rows: FileRow, project: str = MINE) -> list[int]:
    async def work(tx: Tx) -> list[int]:
        return [await tx.files.insert(project, each) for each in rows]

    return await store.write(work)


async def listed(store: Store, **query: Any) -> Page[File] | None:
    return await store.read(lambda tx: tx.files.page(MINE, FileQuery(**query), NOW))


async def ids(store: Store, **query: Any) -> list[str]:
    page = await listed(store, **query)
    assert page is not None
    return [file.id.removeprefix("file-") for file in page.data]


async def test_a_file_is_found_in_its_project_alone(store: Store) -> None:
    kept = row()
    await add(store, kept)
    assert await store.read(lambda tx: tx.files.get(MINE, kept.id, NOW)) == kept
    assert await store.read(lambda tx: tx.files.get(THEIRS, kept.id, NOW)) is None
    assert await store.read(lambda tx: tx.files.get_many(MINE, [kept.id, "file-9"], NOW)) == {kept.id: kept}
    assert await store.read(lambda tx: tx.files.get_many(THEIRS, [kept.id], NOW)) == {}
    assert await store.read(lambda tx: tx.files.named(["blob_1", "blob_2"])) == {"blob_1"}
    assert await store.write(lambda tx: tx.files.delete(THEIRS, kept.id, NOW)) is None


async def test_lists_are_in_order_and_by_purpose(store: Store) -> None:
    await add(store, *(row(n, purpose="vision" if n % 2 else "batch") for n in range(1, 6)))
    assert await ids(store) == ["5", "4", "3", "2", "1"]
    assert await ids(store, order=SortOrder.ASC, limit=2, after="file-2") == ["3", "4"]
    assert await ids(store, purpose="vision") == ["5", "3", "1"]
    assert await ids(store, purpose="vision", after="file-4", order=SortOrder.ASC) == ["5"]
    assert await ids(store, purpose="evals") == []
    page = await listed(store, purpose="vision", limit=2)
    assert page is not None
    assert (page.first_id, page.last_id, page.has_more) == ("file-5", "file-3", True)
    assert await listed(store, after="file-9") is None


async def test_an_expired_file_is_not_found(store: Store) -> None:
    await add(store, row(1, expires_at=NOW), row(2, expires_at=NOW + 1), row(3))
    assert await store.read(lambda tx: tx.files.get(MINE, "file-1", NOW)) is None
    assert sorted(await store.read(lambda tx: tx.files.get_many(MINE, ["file-1", "file-2"], NOW))) == ["file-2"]
    assert await ids(store) == ["3", "2"]
    assert await listed(store, after="file-1") is None
    assert await store.read(lambda tx: tx.files.expired(NOW, 10)) == [(MINE, "file-1")]


async def test_the_bytes_of_a_project_are_counted(store: Store) -> None:
    assert await add(store, row(1, bytes=5), row(2, bytes=7)) == [5, 12]
    assert await add(store, row(3, bytes=100), project=THEIRS) == [100]
    gone = await store.write(lambda tx: tx.files.delete(MINE, "file-1", NOW))
    assert gone is not None
    assert gone.file.bytes == 5
    assert await store.write(lambda tx: tx.files.delete(MINE, "file-1", NOW)) is None
    for project, size in ((MINE, 7), (THEIRS, 100), ("none", 0)):
        assert await store.read(lambda tx, project=project: tx.files.usage(project)) == size  # type: ignore[misc]
        assert await store.read(lambda tx, project=project: tx.files.sum_of_sizes(project)) == size  # type: ignore[misc]


async def test_uploads_at_the_same_time_are_all_counted(store: Store) -> None:
    totals = await asyncio.gather(*(add(store, row(n, bytes=1)) for n in range(20)))
    assert sorted(total for (total,) in totals) == list(range(1, 21))


async def test_the_blob_of_a_deleted_file_is_marked_until_it_is_removed(store: Store) -> None:
    await add(store, row(1), row(2), row(3))
    for at, number in ((NOW + 1, 1), (NOW, 2)):
        await store.write(lambda tx, n=number, at=at: tx.files.delete(MINE, f"file-{n}", at))  # type: ignore[misc]
    assert await store.read(lambda tx: tx.files.marked_blobs(10)) == ["blob_2", "blob_1"]
    await store.write(lambda tx: tx.files.mark_blob("blob_1", NOW + 9))
    assert await store.read(lambda tx: tx.files.marked_blobs(1)) == ["blob_2"]
    await store.write(lambda tx: tx.files.unmark_blobs(["blob_2", "blob_9"]))
    assert await store.read(lambda tx: tx.files.marked_blobs(10)) == ["blob_1"]


async def test_the_checker_reads_the_files_of_all_projects(store: Store) -> None:
    await add(store, row(1), row(3, expires_at=1))
    await add(store, row(2), project=THEIRS)
    first = await store.read(lambda tx: tx.files.audit("", 2))
    assert [(project, each.id) for project, each in first] == [(MINE, "file-1"), (THEIRS, "file-2")]
    rest = await store.read(lambda tx: tx.files.audit("file-2", 2))
    assert [(project, each.id) for project, each in rest] == [(MINE, "file-3")]
