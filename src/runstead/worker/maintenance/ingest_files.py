"""Ingests the files of vector stores. The process that claims a file first ingests it; projects take turns.

```
due files ─ claim one of the next project ─▶ a task each, a few at once ─▶ completed, failed, or due again later
                     (renewed while it runs; when the process dies, the claim ends and another process starts over)
```
"""

import asyncio
import logging
from contextlib import suppress
from math import ceil

from runstead.engine.adapters import Adapters
from runstead.engine.ingestion.ingest import ClaimLost, finish, ingest
from runstead.engine.retrieval.parts import Retrieval
from runstead.retrieval.documents.port import DocumentError
from runstead.retrieval.embeddings.port import EmbeddingError
from runstead.retrieval.index.port import EntryRemoved
from runstead.store.port import IngestionJob, Lane
from runstead.wire.error import Unreachable
from runstead.wire.vector_store import StoreFileError
from runstead.worker.failures import log_failure

__all__ = ["ingest_files"]

_log = logging.getLogger("runstead.ingestion")

_PERIOD = 1.0
"""Seconds between two polls for due files: those of other processes, and those to be retried."""
_RENEWALS = 3
"""Renewals of a claim before it would end."""
_MAX_ATTEMPTS = 12
"""Attempts at one file, about an hour of them."""
_MAX_PAUSE = 600
"""Seconds between two attempts, at most."""
# What a client may read of the server's own failures, whose texts name paths and hosts. The log has those.
_AWAY = "The server could not use its storage or its search index. Add the file again."
_FAILED = "The server failed when it indexed the file. Add the file again."


async def ingest_files(adapters: Adapters, retrieval: Retrieval, lease: float) -> None:
    """Look for due files and ingest them, for ever.

    `lease` is in seconds: a claim that is not renewed for that long ends, because its process is taken for dead.
    """
    async with asyncio.TaskGroup() as group:
        await _Ingester(adapters, retrieval, group, lease).run()


class _Ingester:
    """Ingests a few files at once."""

    def __init__(self, adapters: Adapters, retrieval: Retrieval, group: asyncio.TaskGroup, lease: float) -> None:
        self._adapters = adapters
        self._retrieval = retrieval
        self._group = group
        self._lease = lease
        self._running = 0
        self._last_project = ""

    async def run(self) -> None:
        released = False
        while True:
            self._retrieval.due.clear()
            try:
                if not released:
                    await self._release_claims()
                    released = True
                while self._running < self._retrieval.workers and await self._begin():
                    pass
            except Exception as error:
                log_failure(_log, error, "polling for files to ingest failed; trying again")
            await self._pause()

    async def _release_claims(self) -> None:
        """End the claims of the preceding process, if only one process uses the store."""
        if not self._adapters.store.shared:
            now = self._adapters.now()
            await self._adapters.store.write(lambda tx: tx.store_files.release_all(now), lane=Lane.RUN)

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_PERIOD):  # `wait_for` may lose a cancellation
                await self._retrieval.due.wait()

    async def _begin(self) -> bool:
        """Claim a file of the project whose turn it is, and begin with it. False if none is due."""
        now = self._adapters.now()
        projects = sorted(
            await self._adapters.store.read(lambda tx: tx.store_files.due_projects(now), lane=Lane.MAINTENANCE)
        )
        turns = [project for project in projects if project > self._last_project] + projects
        for project in dict.fromkeys(turns):
            job = await self._claim(project, now)
            if job is not None:
                self._last_project = project
                self._running += 1
                self._group.create_task(self._run(job), name=f"ingest {job.file.id}")
                return True
        return False

    async def _claim(self, project: str, now: int) -> IngestionJob | None:
        return await self._adapters.store.write(
            lambda tx: tx.store_files.claim(project, now, self._end_of_claim()), lane=Lane.RUN
        )

    def _end_of_claim(self) -> int:
        return self._adapters.now() + ceil(self._lease) + 1  # the time of now is up to a second more

    async def _run(self, job: IngestionJob) -> None:
        try:
            await self._attempt(job)
        except asyncio.CancelledError:
            await self._release(job)
            raise
        except Exception as error:
            log_failure(_log, error, "the outcome of an ingestion was not written", extra={"file": job.file.id})
        finally:
            self._running -= 1
            self._retrieval.wake()

    async def _attempt(self, job: IngestionJob) -> None:
        if job.attempts > _MAX_ATTEMPTS:  # no attempt came as far as an outcome
            message = "The server stopped whenever it began with this file."
            await self._fail(job, StoreFileError(code="server_error", message=message))
            return
        loop = asyncio.get_running_loop()
        ingestion = loop.create_task(ingest(self._adapters, self._retrieval, job))
        renewal = loop.create_task(self._renew(job, ingestion))
        try:
            await asyncio.wait([ingestion])
            await self._settle(job, ingestion)
        finally:
            renewal.cancel()
            ingestion.cancel()
            await asyncio.wait([renewal, ingestion])

    async def _renew(self, job: IngestionJob, ingestion: "asyncio.Task[None]") -> None:
        """Keep the claim while the file is ingested, and stop the ingestion when it is lost."""
        while True:
            await self._adapters.clock.sleep(self._lease / _RENEWALS)
            try:
                held = await self._hold(job)
            except Unreachable as error:
                log_failure(_log, error, "a claim was not renewed; trying again", extra={"file": job.file.id})
                continue
            if not held:
                ingestion.cancel()
                return

    async def _hold(self, job: IngestionJob) -> bool:
        until = self._end_of_claim()
        return await self._adapters.store.write(lambda tx: tx.store_files.renew(job, until), lane=Lane.CLOSING)

    async def _settle(self, job: IngestionJob, ingestion: "asyncio.Task[None]") -> None:
        """Write the outcome of an attempt that did not complete the file."""
        if ingestion.cancelled():
            return  # the claim was lost
        match ingestion.exception():
            case None | ClaimLost():
                return
            case DocumentError(code="unsupported_file" | "invalid_file" as code, message=message):
                await self._fail(job, StoreFileError(code=code, message=message))
            case EmbeddingError(permanent=True, message=message):
                await self._fail(job, StoreFileError(code="server_error", message=message))
            case EntryRemoved():  # an earlier removal of the file came between
                await self._again(job, 1)
            case EmbeddingError() as error:
                await self._later(job, error.message, error.retry_after)
            case DocumentError(message=message):
                await self._later(job, message)
            case Unreachable() as error:
                log_failure(_log, error, "a file was not ingested", extra={"file": job.file.id})
                await self._later(job, _AWAY)
            case BaseException() as error:
                _log.error("ingesting a file failed", exc_info=error, extra={"file": job.file.id})
                await self._later(job, _FAILED)

    async def _later(self, job: IngestionJob, reason: str, seconds: float | None = None) -> None:
        """Try again later, if the file was not tried too often."""
        if job.attempts >= _MAX_ATTEMPTS:
            await self._fail(job, StoreFileError(code="server_error", message=reason))
            return
        pause = min(_MAX_PAUSE, 2**job.attempts) if seconds is None else min(_MAX_PAUSE, max(1.0, seconds))
        _log.warning(
            "a file is ingested again in %d s: %s", pause, reason, extra={"file": job.file.id, "attempt": job.attempts}
        )
        await self._again(job, int(pause))

    async def _again(self, job: IngestionJob, pause: int) -> None:
        at = self._adapters.now() + pause
        await self._adapters.store.write(lambda tx: tx.store_files.retry(job, at), lane=Lane.CLOSING)

    async def _release(self, job: IngestionJob) -> None:
        now = self._adapters.now()
        await self._adapters.store.write(lambda tx: tx.store_files.release(job, now), lane=Lane.CLOSING)

    async def _fail(self, job: IngestionJob, error: StoreFileError) -> None:
        _log.info("a file cannot be searched: %s", error.message, extra={"file": job.file.id, "code": error.code})
        await finish(self._adapters, job, 0, error)
