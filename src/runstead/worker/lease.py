"""A worker's lease: while it is valid, other processes leave the worker's runs alone.

    registered ──▶ heartbeat each quarter ──▶ none for four fifths ──▶ paused: claims nothing, finishes what it has
       ▲                  ▲                                                   │
       │                  └──────────────── a heartbeat succeeds ◀────────────┤
       └──── registered under a new name ◀──── the worker was expired ◀───────┘

A lease expires by the database's clock. The worker measures it by its own, from before it sent the heartbeat, so it
pauses before another process may recover its runs, whatever the two clocks say. Both may be wrong about a process that
stood still: such a worker learns at its next heartbeat that it was expired.

A paused or expired worker does not stop its runs. It may write what is still its own, and what another worker has
recovered has a newer version, so its writes are refused. To stop them early would only repeat model calls.

The name of an expired worker is never used again: a run with that owner may be recovered by any process.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from runstead.engine.adapters import Adapters
from runstead.store.port import Presence
from runstead.wire.error import RunsteadError
from runstead.worker.failures import log_failure
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
_DEREGISTER = 3.0
"""Seconds that a worker that stops takes to deregister."""


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
        self._presence: Presence | None = None
        """None from when the worker was expired until it is registered again."""
        self._leaving = AsyncExitStack()

    async def register(self, name: str) -> None:
        """Register under a name that was never used; from now on the worker claims under it."""
        async with AsyncExitStack() as entering:
            presence = await entering.enter_async_context(self._store.presence(name))
            asked = self._loop.time()
            await presence.write(lambda tx: tx.workers.register(name, self._seconds))
            self._presence, self._leaving = presence, entering.pop_all()
        _log.info("a worker is registered worker=%s", name)
        self._extend(asked, name)

    async def deregister(self) -> None:
        """Deregister. If the store fails, the lease expires by itself."""
        self._cancel_lapse()
        if self._presence is not None:
            try:
                async with asyncio.timeout(_DEREGISTER):
                    await self._presence.write(lambda tx: tx.workers.deregister(self._worker.name))
            except (RunsteadError, TimeoutError) as error:
                _log.warning(
                    "deregistering a worker failed, so its lease expires by itself: %s", str(error) or "no answer"
                )
        await self._leaving.aclose()

    async def keep(self) -> None:
        """Send heartbeats for ever."""
        while True:
            await asyncio.sleep(self._seconds * _HEARTBEAT)
            try:
                await self._heartbeat()
            except TimeoutError:
                _log.debug("a heartbeat takes too long; trying again worker=%s", self._worker.name)
            except Exception as error:
                log_failure(_log, error, "a heartbeat failed; trying again worker=%s", self._worker.name)

    async def _heartbeat(self) -> None:
        name, asked, presence = self._worker.name, self._loop.time(), self._presence
        if presence is not None:
            async with asyncio.timeout(self._seconds * _TIMEOUT):
                registered = await presence.write(lambda tx: tx.workers.heartbeat(name, self._seconds))
            if registered:
                self._extend(asked, name)
                return
            _log.warning("a worker was expired: it registers again, and its runs are recovered worker=%s", name)
            self._cancel_lapse()
            self._worker.pause()
            self._presence = None
            await self._leaving.aclose()
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
        _log.warning("no heartbeat in time: the worker claims no runs until there is one worker=%s", self._worker.name)
        self._worker.pause()
