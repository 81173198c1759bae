"""A worker's lease: while it is valid, other processes leave the worker's runs alone.

    registered ──▶ heartbeat each quarter ──▶ none for four fifths ──▶ paused: owns nothing, claims nothing
       ▲                  ▲                                                   │
       │                  └──────────────── a heartbeat succeeds ◀────────────┤
       └──── registered under a new name ◀──── the worker was expired ◀───────┘

A lease expires by the database's clock. The worker measures it by its own, from before it sent the heartbeat, so it
pauses before another process may recover its runs, whatever the two clocks say. Both may be wrong about a process that
stood still: such a worker learns at its next heartbeat that it was expired. What it writes until then is refused,
because its runs have a newer version.

The name of an expired worker is never used again: a run with that owner may be recovered by any process.
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
"""Seconds without a heartbeat after which a worker is expired."""
_HEARTBEAT = 1 / 4
"""The part of a lease between two heartbeats."""
_TIMEOUT = 1 / 2
"""The part of a lease that a heartbeat may take."""
_TRUST = 4 / 5
"""The part of a lease after which a worker without a heartbeat pauses."""


@asynccontextmanager
async def leased(adapters: Adapters, worker: Worker, seconds: float = LEASE) -> AsyncIterator[None]:
    """While inside, the worker is registered. In a store of one process no heartbeat is needed.

    To be left when the worker has released its runs.
    """
    lease = _Lease(adapters, worker, seconds)
    await lease.register(worker.name)
    # Not in a task group: an exception from inside must leave unchanged.
    keeping = asyncio.create_task(lease.keep(), name="lease") if adapters.store.shared else None  # noqa: TID251 - ended below
    try:
        yield
    finally:
        if keeping is not None:
            keeping.cancel()
            await asyncio.wait([keeping])
        await lease.deregister()


class _Lease:
    def __init__(self, adapters: Adapters, worker: Worker, seconds: float) -> None:
        self._adapters = adapters
        self._store = adapters.store
        self._worker = worker
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._lapse: asyncio.TimerHandle | None = None
        self._presence = AsyncExitStack()

    async def register(self, name: str) -> None:
        """Register under a name that was never used; from now on the worker claims under it."""
        async with AsyncExitStack() as entering:
            await entering.enter_async_context(self._store.presence(name))
            asked = self._loop.time()
            await self._store.write(lambda tx: tx.workers.register(name, self._seconds))
            self._presence = entering.pop_all()
        _log.info("a worker is registered worker=%s", name)
        self._extend(asked, name)

    async def deregister(self) -> None:
        """Deregister. If the store fails, the lease expires by itself."""
        self._cancel_lapse()
        try:
            await self._store.write(lambda tx: tx.workers.deregister(self._worker.name))
        except Exception:
            _log.exception("deregistering a worker failed; its lease expires by itself")
        await self._presence.aclose()

    async def keep(self) -> None:
        """Send heartbeats for ever."""
        while True:
            await asyncio.sleep(self._seconds * _HEARTBEAT)
            try:
                await self._heartbeat()
            except TimeoutError:
                _log.warning("a heartbeat takes too long; trying again worker=%s", self._worker.name)
            except Exception:
                _log.exception("a heartbeat failed; trying again worker=%s", self._worker.name)

    async def _heartbeat(self) -> None:
        name, asked = self._worker.name, self._loop.time()
        async with asyncio.timeout(self._seconds * _TIMEOUT):
            registered = await self._store.write(lambda tx: tx.workers.heartbeat(name, self._seconds))
        if registered:
            self._extend(asked, name)
            return
        _log.warning("a worker was expired: it releases its runs and registers again worker=%s", name)
        self._cancel_lapse()
        self._worker.pause()
        await self._presence.aclose()
        await self.register(self._adapters.new_id("worker"))

    def _extend(self, asked: float, name: str) -> None:
        """The lease is valid from when it was asked for."""
        self._cancel_lapse()
        if not self._store.shared:
            return
        until = asked + self._seconds * _TRUST
        if until <= self._loop.time():  # the process stood still, or the answer took that long
            self._lapsed()
            return
        self._lapse = self._loop.call_at(until, self._lapsed)
        self._worker.resume(name)

    def _cancel_lapse(self) -> None:
        if self._lapse is not None:
            self._lapse.cancel()

    def _lapsed(self) -> None:
        _log.warning("no heartbeat in time: the worker releases its runs worker=%s", self._worker.name)
        self._worker.pause()
