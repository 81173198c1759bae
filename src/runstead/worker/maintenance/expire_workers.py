"""Workers whose lease has expired, or whose process is gone, are deregistered, and their runs recovered."""

import asyncio
import logging

from runstead.engine.adapters import Adapters
from runstead.store.port import Lane, Tx
from runstead.worker.failures import log_failure
from runstead.worker.maintenance.recover_runs import recover_runs
from runstead.worker.worker import Worker

__all__ = ["expire_workers", "expire_workers_once"]

_log = logging.getLogger("runstead.recover")

_PERIOD = 1.0
"""Seconds between two passes."""
_CONFIRMATION = 0.2
"""Seconds after which an expired worker is checked again: a living one that lost its session has a new one by then."""


async def expire_workers(adapters: Adapters, worker: Worker) -> None:
    """Expire workers once a second, for ever."""
    while True:
        try:
            await expire_workers_once(adapters, worker.name)
        except Exception as error:
            log_failure(_log, error, "expiring workers failed; trying again")
        await adapters.clock.sleep(_PERIOD)


async def expire_workers_once(adapters: Adapters, observer: str) -> None:
    """Deregister the workers that are gone, as the worker `observer` sees them, and recover runs without an owner."""
    expired = await adapters.store.read(lambda tx: tx.workers.expired(observer), lane=Lane.MAINTENANCE)
    if expired:
        await asyncio.sleep(_CONFIRMATION)
        gone = await adapters.store.write(lambda tx: _deregister(tx, observer, set(expired)), lane=Lane.MAINTENANCE)
        for name in gone:
            _log.warning("a worker is gone worker=%s", name)
    await recover_runs(adapters)


async def _deregister(tx: Tx, observer: str, expired: set[str]) -> list[str]:
    gone = [name for name in await tx.workers.expired(observer) if name in expired]
    for name in gone:
        await tx.workers.deregister(name)
    return gone
