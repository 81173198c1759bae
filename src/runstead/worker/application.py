"""A running engine: the adapters, a worker and its maintenance, and the projects that callers are bound to."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeAlias

from msgspec.structs import replace

from runstead.domain.access import ALL_SCOPES, DEFAULT_PROJECT, Credentials
from runstead.engine.adapters import Adapters
from runstead.engine.observer import ObservedStore, Unobserved
from runstead.engine.resources.administration import Administration
from runstead.engine.resources.caller import Caller
from runstead.engine.resources.project import Project
from runstead.worker.lease import LEASE, leased
from runstead.worker.maintenance.deliver_webhooks import deliver_webhooks
from runstead.worker.maintenance.expire_runs import expire_runs
from runstead.worker.maintenance.expire_workers import expire_workers
from runstead.worker.maintenance.ingest_files import ingest_files
from runstead.worker.maintenance.prune_idempotency import prune_idempotency
from runstead.worker.maintenance.recover_runs import recover_runs
from runstead.worker.maintenance.release_unexecuted import release_unexecuted
from runstead.worker.maintenance.remove_deleted import remove_deleted
from runstead.worker.maintenance.remove_from_index import remove_from_index
from runstead.worker.maintenance.sweep_files import sweep_files
from runstead.worker.readiness import Readiness
from runstead.worker.worker import Worker

__all__ = ["Application", "run"]


Loop: TypeAlias = Callable[[Adapters], Coroutine[Any, Any, None]]
"""A maintenance loop, which runs for ever."""

_MAINTENANCE: Sequence[Loop] = (expire_runs, prune_idempotency, deliver_webhooks, remove_deleted, sweep_files)
"""The loops of every process with a worker; processes over the same store run them side by side."""


class Application:
    """A running engine, as the API or a program that embeds it sees it."""

    def __init__(self, adapters: Adapters, worker: Worker | None = None) -> None:
        self._adapters = adapters
        self._worker = worker
        self._callers: dict[str, Caller] = {}
        self.draining = asyncio.Event()
        """Set when the application begins to stop: streams end, and clients reconnect elsewhere."""
        self.ready = True
        """It accepts requests."""
        self._readiness = Readiness(adapters)

    async def parts(self) -> Mapping[str, bool]:
        """Which parts work, of `store` and `broker`. Answers within a few seconds."""
        return await self._readiness.parts()

    async def enter(self, credentials: Credentials) -> Caller:
        """The caller that these credentials stand for. `Unauthorized` or `Forbidden` if there is none.

        No keys exist yet: every caller is one of the default project, with all scopes.
        """
        return self._caller(DEFAULT_PROJECT)

    def _caller(self, project: str) -> Caller:
        caller = self._callers.get(project)
        if caller is None:
            bound = Project(self._adapters, project, self._worker)
            administration = Administration(self._adapters)
            caller = Caller(project=bound, administration=administration, scopes=ALL_SCOPES)
            self._callers[project] = caller
        return caller


@asynccontextmanager
async def run(
    adapters: Adapters, *, slots: int = 5000, works: bool = True, lease: float = LEASE
) -> AsyncIterator[Application]:
    """Start: open the store, recover the runs of dead workers, and execute. Stop: release the runs at work, and close.

    Without `works` the application only answers calls: other processes over the same store execute its runs. `slots`
    is how many runs its worker executes at once. `lease` is in seconds: a worker without a heartbeat for that long is
    expired, and its runs are recovered.
    """
    if not isinstance(adapters.observer, Unobserved):
        adapters = replace(adapters, store=ObservedStore(adapters.store, adapters.observer))
    async with AsyncExitStack() as outside:
        for port in (
            adapters.store,
            adapters.broker,
            adapters.blobs,
            adapters.model,
            *adapters.tools,
            *([adapters.outbound] if adapters.outbound else ()),
            *([adapters.embeddings] if adapters.embeddings else ()),
            *((adapters.retrieval.reader, adapters.retrieval.index) if adapters.retrieval else ()),
        ):
            await port.start()
            outside.push_async_callback(port.stop)
        worker = await outside.enter_async_context(_working(adapters, slots, lease)) if works else None
        application = Application(adapters, worker)
        try:
            yield application
        finally:
            application.ready = False
            application.draining.set()


@asynccontextmanager
async def _working(adapters: Adapters, slots: int, lease: float) -> AsyncIterator[Worker]:
    worker = Worker(adapters, adapters.new_id("worker"), slots)
    failure: Exception | None = None
    async with leased(adapters, worker, lease):
        await recover_runs(adapters)
        async with asyncio.TaskGroup() as group:
            group.create_task(worker.run(), name="worker")
            maintenance = [group.create_task(loop(adapters), name=loop.__name__) for loop in _MAINTENANCE]
            maintenance.append(group.create_task(release_unexecuted(adapters, worker)))
            if adapters.retrieval is not None:
                maintenance.append(group.create_task(ingest_files(adapters, adapters.retrieval, lease)))
                maintenance.append(group.create_task(remove_from_index(adapters, adapters.retrieval)))
            if adapters.store.shared:
                maintenance.append(group.create_task(expire_workers(adapters, worker)))
            try:
                yield worker
            except Exception as error:
                failure = (
                    error  # the caller's own: it must leave unchanged, not inside the task group's exception group
                )
            finally:
                worker.stop()
                for task in maintenance:
                    task.cancel()
    if failure is not None:
        raise failure
