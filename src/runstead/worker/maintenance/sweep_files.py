"""Files that have expired are deleted, and blobs that no file needs are removed.

```
a file expires ────────────┐
a file is deleted ─────────┴─▶ its blob is marked ──▶ removed within seconds
an upload breaks off, the process is killed ─▶ a blob without a row ─▶ found by a sweep, removed after a day
```
Each pass does what it finds, and a crash loses nothing. Processes over one store run it side by side: to remove a blob
twice does no harm.
"""

import logging

from runstead.engine.adapters import Adapters
from runstead.engine.file_references import forget_file
from runstead.engine.resources.files import CONTENT
from runstead.engine.retrieval.texts import TEXT
from runstead.store.port import Lane, Tx
from runstead.worker.failures import log_failure

__all__ = ["sweep_blobs_once", "sweep_files", "sweep_files_once"]

_log = logging.getLogger("runstead.files")

_PERIOD = 5.0
"""Seconds between two passes."""
_SWEEP_PERIOD = 3600.0
"""Seconds between two sweeps, which list all blobs."""
_BATCH = 100
"""Files or blobs of one transaction."""
_UNFINISHED = 86_400.0
"""Seconds that an upload may take, at most, until its row is written."""


async def sweep_files(adapters: Adapters) -> None:
    """Delete and remove every few seconds, for ever."""
    sweep_at = adapters.clock.time()  # in the first pass: a program may never run for an hour
    while True:
        await adapters.clock.sleep(_PERIOD)
        try:
            await sweep_files_once(adapters)
            if adapters.clock.time() >= sweep_at:
                sweep_at = adapters.clock.time() + _SWEEP_PERIOD
                await sweep_blobs_once(adapters)
        except Exception as error:
            log_failure(_log, error, "removing files failed; trying again")


async def sweep_files_once(adapters: Adapters) -> None:
    """Delete the files that have expired, and remove all blobs that are marked."""
    now = adapters.now()

    async def expire(tx: Tx) -> int:
        expired = await tx.files.expired(now, _BATCH)
        for project, file_id in expired:
            gone = await tx.files.delete(project, file_id, now)
            if gone is not None:
                await forget_file(tx, project, gone, now)
        return len(expired)

    while await adapters.store.read(lambda tx: tx.files.expired(now, 1), lane=Lane.MAINTENANCE):
        await adapters.store.write(expire, lane=Lane.RUN)
    while marked := await adapters.store.read(lambda tx: tx.files.marked_blobs(_BATCH), lane=Lane.MAINTENANCE):
        for blob in marked:
            await adapters.blobs.delete(blob)
        done = tuple(marked)
        await adapters.store.write(lambda tx: tx.files.unmark_blobs(done), lane=Lane.RUN)  # noqa: B023 (it is awaited)


async def sweep_blobs_once(adapters: Adapters) -> int:
    """Remove blobs and stored texts that no file has, and remains of uploads, if older than a day. Returns how many."""
    before = adapters.clock.time() - _UNFINISHED
    await adapters.blobs.discard_unfinished(before)
    removed = 0
    batch: list[str] = []
    for prefix in (f"{CONTENT}_", TEXT):
        async for blob in adapters.blobs.names(prefix):
            if blob.modified_at < before:
                batch.append(blob.name)
            if len(batch) == _BATCH:
                removed += await _remove_unnamed(adapters, batch)
                batch = []
    return removed + (await _remove_unnamed(adapters, batch) if batch else 0)


async def _remove_unnamed(adapters: Adapters, blobs: list[str]) -> int:
    contents = [blob.removeprefix(TEXT) for blob in blobs]
    named = await adapters.store.read(lambda tx: tx.files.named(contents), lane=Lane.MAINTENANCE)
    unnamed = [blob for blob in blobs if blob.removeprefix(TEXT) not in named]
    for blob in unnamed:
        await adapters.blobs.delete(blob)
    if unnamed:
        _log.info("removed blobs without a file", extra={"count": len(unnamed)})
    return len(unnamed)
