"""A worker's lease: while it runs, the others leave its runs alone; before it is over, the worker has let go of them.

    entered ──▶ renewed each quarter ──▶ not renewed for four fifths ──▶ at rest: holds nothing, takes nothing
       ▲               ▲                                                        │
       │               └──────────────────── renewed after all ◀────────────────┤
       └───────────────── under a new name ◀──────── it was given up ◀──────────┘

A lease is over by the database's clock. The worker counts on its own, from before it asked, so it is the first to know
whatever the two clocks say. Both may be wrong about a process that stood still: then it learns at its next renewal that
it was given up. What it writes until then is refused, because its runs have moved on.

A name that was given up never comes back: a run that still bears it is anybody's.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from runstead.engine.adapters import Adapters
from runstead.worker.worker import Worker

__all__ = ["LEASE", "leased"]

_log = logging.getLogger("runstead.lease")

LEASE = 10.0
"""Seconds after which a worker that was not heard of is given up."""
_RENEWAL = 1 / 4
"""The part of a lease after which it is renewed."""
_PATIENCE = 1 / 2
"""The part of a lease that a renewal may take."""
_TRUST = 4 / 5
"""The part of a lease after which a worker that could not renew it lets go of its runs."""


@asynccontextmanager
async def leased(adapters: Adapters, worker: Worker, seconds: float = LEASE) -> AsyncIterator[None]:
    """While inside, the worker is among those that live; in a store of one process nobody asks, so nothing is renewed.

    To be left when the worker has handed back what it held.
    """
    lease = _Lease(adapters, worker, seconds)
    await lease.enter(worker.name)
    # Not in a task group: what fails inside leaves as it came.
    keeping = asyncio.create_task(lease.keep(), name="lease") if adapters.store.shared else None  # noqa: TID251 - ended below
    try:
        yield
    finally:
        if keeping is not None:
            keeping.cancel()
            await asyncio.wait([keeping])
        await lease.leave()


class _Lease:
    def __init__(self, adapters: Adapters, worker: Worker, seconds: float) -> None:
        self._adapters = adapters
        self._store = adapters.store
        self._worker = worker
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._lapse: asyncio.TimerHandle | None = None
        self._presence = AsyncExitStack()

    async def enter(self, name: str) -> None:
        """Enter by a name that nobody had; from now on the worker works by it."""
        async with AsyncExitStack() as entering:
            await entering.enter_async_context(self._store.presence(name))
            asked = self._loop.time()
            await self._store.write(lambda tx: tx.workers.register(name, self._seconds))
            self._presence = entering.pop_all()
        _log.info("a worker has entered worker=%s", name)
        self._trusted(asked, name)

    async def leave(self) -> None:
        """Leave. Where the store fails, the lease ends by itself."""
        self._distrust()
        try:
            await self._store.write(lambda tx: tx.workers.deregister(self._worker.name))
        except Exception:
            _log.exception("a worker could not say that it leaves; its lease ends by itself")
        await self._presence.aclose()

    async def keep(self) -> None:
        """Renew for ever."""
        while True:
            await asyncio.sleep(self._seconds * _RENEWAL)
            try:
                await self._renew()
            except TimeoutError:
                _log.warning("renewing the lease takes too long; trying again worker=%s", self._worker.name)
            except Exception:
                _log.exception("renewing the lease failed; trying again worker=%s", self._worker.name)

    async def _renew(self) -> None:
        name, asked = self._worker.name, self._loop.time()
        async with asyncio.timeout(self._seconds * _PATIENCE):
            known = await self._store.write(lambda tx: tx.workers.heartbeat(name, self._seconds))
        if known:
            self._trusted(asked, name)
            return
        _log.warning("a worker was given up: it lets go of its runs, and enters again worker=%s", name)
        self._distrust()
        self._worker.pause()
        await self._presence.aclose()
        await self.enter(self._adapters.new_id("worker"))

    def _trusted(self, asked: float, name: str) -> None:
        """The lease runs, from when it was asked for."""
        self._distrust()
        if not self._store.shared:
            return
        until = asked + self._seconds * _TRUST
        if until <= self._loop.time():  # the process stood still, or the answer took so long
            self._lapsed()
            return
        self._lapse = self._loop.call_at(until, self._lapsed)
        self._worker.resume(name)

    def _distrust(self) -> None:
        if self._lapse is not None:
            self._lapse.cancel()

    def _lapsed(self) -> None:
        _log.warning("the lease could not be renewed in time: its worker lets go worker=%s", self._worker.name)
        self._worker.pause()
