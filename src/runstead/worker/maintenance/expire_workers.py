"""Workers that are gone are given up, and their runs are taken over: by whichever process looks first."""

import asyncio
import logging

from runstead.engine.adapters import Adapters
from runstead.store.port import Tx
from runstead.worker.maintenance.recover_runs import recover
from runstead.worker.worker import Worker

__all__ = ["sweep", "sweep_once"]

_log = logging.getLogger("runstead.sweep")

_PERIOD = 1.0
"""Seconds between two looks."""
_SECOND_LOOK = 0.2
"""Seconds in which a living worker that lost its session has another one."""


async def sweep(adapters: Adapters, worker: Worker) -> None:
    """Look once a second, for ever."""
    while True:
        try:
            await sweep_once(adapters, worker.name)
        except Exception:
            _log.exception("looking for workers that are gone failed; trying again")
        await adapters.clock.sleep(_PERIOD)


async def sweep_once(adapters: Adapters, observer: str) -> None:
    """Give up who is gone, and take over what nobody living holds."""
    absent = await adapters.store.read(lambda tx: tx.workers.expired(observer))
    if absent:
        await asyncio.sleep(_SECOND_LOOK)
        gone = await adapters.store.write(lambda tx: _give_up(tx, observer, set(absent)))
        for name in gone:
            _log.warning("a worker is gone worker=%s", name)
    await recover(adapters)


async def _give_up(tx: Tx, observer: str, absent: set[str]) -> list[str]:
    gone = [name for name in await tx.workers.expired(observer) if name in absent]
    for name in gone:
        await tx.workers.deregister(name)
    return gone
