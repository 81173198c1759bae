"""A running engine: the ports, a worker and its maintenance, and the projects that callers are bound to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from runstead.engine.ports import Ports
from runstead.engine.project import Project
from runstead.worker.maintenance.expire import expire
from runstead.worker.maintenance.rescue import rescue
from runstead.worker.worker import Worker

__all__ = ["Application", "run"]


_LEASE = 10.0
"""Seconds after which a worker that was not heard of is given up."""


class Application:
    """What is handed to the API, or to a program that runs the engine inside itself."""

    def __init__(self, ports: Ports, worker: Worker) -> None:
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
async def run(ports: Ports, *, most: int = 5000) -> AsyncIterator[Application]:
    """Start: open the store, take over what a dead worker left, and work. Stop: hand back what is at work; close."""
    owner = ports.new_id("worker")
    async with AsyncExitStack() as outside:
        for port in (ports.store, ports.broker, ports.model):
            await port.start()
            outside.push_async_callback(port.stop)
        yield await outside.enter_async_context(_working(ports, owner, most))


@asynccontextmanager
async def _working(ports: Ports, owner: str, most: int) -> AsyncIterator[Application]:
    await ports.store.write(lambda tx: tx.workers.enter(owner, _LEASE))
    await rescue(ports)
    worker = Worker(ports, owner, most)
    application = Application(ports, worker)
    failure: Exception | None = None
    async with asyncio.TaskGroup() as group:
        group.create_task(worker.run(), name="worker")
        expiring = group.create_task(expire(ports), name="expire")
        try:
            yield application
        except Exception as error:
            failure = error  # the caller's own: it leaves as it came, not in a group of the task group's
        finally:
            application.ready = False
            application.draining.set()
            worker.stop()
            expiring.cancel()
    if failure is not None:
        raise failure
