"""A running engine: the ports, a worker and its maintenance, and the projects that callers are bound to."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeAlias

from runstead.engine.ports import Ports
from runstead.engine.project import Project
from runstead.worker.lease import LEASE, leased
from runstead.worker.maintenance.deliver import deliver
from runstead.worker.maintenance.expire import expire
from runstead.worker.maintenance.prune import prune
from runstead.worker.maintenance.rescue import rescue
from runstead.worker.maintenance.strays import hand_back_strays
from runstead.worker.maintenance.sweep import sweep
from runstead.worker.worker import Worker

__all__ = ["Application", "run"]


Loop: TypeAlias = Callable[[Ports], Coroutine[Any, Any, None]]
"""Looks after something, for ever."""

_MAINTENANCE: Sequence[Loop] = (expire, prune, deliver)
"""What every process that works does beside it; processes over the same store do it side by side."""


class Application:
    """What is handed to the API, or to a program that runs the engine inside itself."""

    def __init__(self, ports: Ports, worker: Worker | None = None) -> None:
        self._ports = ports
        self._worker = worker
        self._projects: dict[str, Project] = {}
        self.draining = asyncio.Event()
        """Set once it is about to stop: streams end then, and their readers come back to its successor."""
        self.ready = True
        """It takes requests."""

    def project(self, name: str) -> Project:
        """Everything that can be done in this project, and in no other."""
        project = self._projects.get(name)
        if project is None:
            project = self._projects[name] = Project(self._ports, name, self._worker)
        return project


@asynccontextmanager
async def run(
    ports: Ports, *, most: int = 5000, works: bool = True, lease: float = LEASE
) -> AsyncIterator[Application]:
    """Start: open the store, take over what a dead worker left, and work. Stop: hand back what is at work; close.

    One that does not work only answers: other processes over the same store carry its runs. `lease` is how long, in
    seconds, these wait for a worker that is not heard of.
    """
    async with AsyncExitStack() as outside:
        for port in (ports.store, ports.broker, ports.model, *([ports.outbound] if ports.outbound else ())):
            await port.start()
            outside.push_async_callback(port.stop)
        worker = await outside.enter_async_context(_working(ports, most, lease)) if works else None
        application = Application(ports, worker)
        try:
            yield application
        finally:
            application.ready = False
            application.draining.set()


@asynccontextmanager
async def _working(ports: Ports, most: int, lease: float) -> AsyncIterator[Worker]:
    worker = Worker(ports, ports.new_id("worker"), most)
    failure: Exception | None = None
    async with leased(ports, worker, lease):
        await rescue(ports)
        async with asyncio.TaskGroup() as group:
            group.create_task(worker.run(), name="worker")
            maintenance = [group.create_task(loop(ports), name=loop.__name__) for loop in _MAINTENANCE]
            maintenance.append(group.create_task(hand_back_strays(ports, worker)))
            if ports.store.shared:
                maintenance.append(group.create_task(sweep(ports, worker)))
            try:
                yield worker
            except Exception as error:
                failure = error  # the caller's own: it leaves as it came, not in a group of the task group's
            finally:
                worker.stop()
                for task in maintenance:
                    task.cancel()
    if failure is not None:
        raise failure
