"""Removes from the index the files that were removed from vector stores, and the files of expired stores."""

import logging

from runstead.engine.adapters import Adapters
from runstead.engine.retrieval.parts import Retrieval
from runstead.store.port import IndexRemoval, Lane, Tx
from runstead.worker.failures import log_failure

__all__ = ["remove_from_index"]

_log = logging.getLogger("runstead.ingestion")

_PERIOD = 1.0
_BATCH = 100


async def remove_from_index(adapters: Adapters, retrieval: Retrieval) -> None:
    """Poll for removals once a second, for ever."""
    while True:
        try:
            while await _remove_some(adapters, retrieval) or await _empty_expired(adapters):
                pass
        except Exception as error:
            log_failure(_log, error, "removing files from the index failed; trying again")
        await adapters.clock.sleep(_PERIOD)


async def _remove_some(adapters: Adapters, retrieval: Retrieval) -> bool:
    """Make some of the removals. Returns whether there may be more."""
    removals = await adapters.store.read(lambda tx: tx.vector_stores.removals(_BATCH), lane=Lane.MAINTENANCE)
    for removal in removals:
        if removal.file_id is None:
            await retrieval.index.remove_store(removal.project, removal.store_id)
        else:
            await retrieval.index.remove_file(removal.project, removal.store_id, removal.file_id)

    async def work(tx: Tx) -> None:
        await tx.vector_stores.removed([removal.number for removal in removals])
        for removal in removals:
            await _ingest_again(tx, removal, adapters.now())

    if removals:
        await adapters.store.write(work, lane=Lane.MAINTENANCE)
    return len(removals) == _BATCH


async def _ingest_again(tx: Tx, removal: IndexRemoval, now: int) -> None:
    """Make a file due again that was added to its store once more, and completed, before this removal."""
    if removal.file_id is None or await tx.vector_stores.get(removal.project, removal.store_id, now) is None:
        return
    await tx.store_files.renew_completed(removal.project, removal.store_id, [removal.file_id], now)


async def _empty_expired(adapters: Adapters) -> bool:
    """Remove some files of an expired store. Returns whether there was one."""
    now = adapters.now()

    async def work(tx: Tx) -> bool:
        for project, store_id in await tx.vector_stores.expired(now, 1):
            await tx.vector_stores.get(project, store_id, now)  # a lock
            await tx.store_files.remove_some(project, store_id, _BATCH, now)
            return True
        return False

    return await adapters.store.write(work, lane=Lane.MAINTENANCE)
