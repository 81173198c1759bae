"""Vector stores and their files to keep, made with as little as it takes."""

from typing import Any

from runstead.store.port import Store, Tx, VectorStoreRow
from runstead.wire.chunking import DEFAULT_CHUNKING
from runstead.wire.vector_store import StoreFile, VectorStore
from tests.store.things import MINE

__all__ = ["NOW", "add_files", "add_stores", "file", "shown", "vector_store"]

NOW = 1_000_000


def vector_store(id: str = "vs_1", **fields: Any) -> VectorStoreRow:
    known: dict[str, Any] = {"created_at": NOW, "last_active_at": NOW, "name": "ä \U0001f4a9"}
    return VectorStoreRow(store=VectorStore(id=id, **known | fields))


def file(number: int = 1, store_id: str = "vs_1", **fields: Any) -> StoreFile:
    known: dict[str, Any] = {"id": f"file-{number}", "created_at": NOW, "chunking_strategy": DEFAULT_CHUNKING}
    return StoreFile(vector_store_id=store_id, **known | fields)


async def add_stores(store: Store, *rows: VectorStoreRow, project: str = MINE) -> None:
    async def work(tx: Tx) -> None:
        for row in rows:
            await tx.vector_stores.insert(project, row)

    await store.write(work)


async def add_files(
    store: Store, *files: StoreFile, project: str = MINE, now: int = NOW, batch_id: str | None = None
) -> None:
    """Add files of one store."""

    async def work(tx: Tx) -> None:
        await tx.vector_stores.get(project, files[0].vector_store_id, now)
        await tx.store_files.add(project, files, now, batch_id)

    await store.write(work)


async def shown(store: Store, id: str = "vs_1", project: str = MINE, now: int = NOW) -> VectorStore:
    row = await store.read(lambda tx: tx.vector_stores.get(project, id, now))
    assert row is not None
    return row.store
