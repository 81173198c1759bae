"""Workers that are gone are given up, and their runs are taken over: by whichever process looks first."""

import asyncio
import logging

from runstead.engine.ports import Ports
from runstead.store.port import Tx
from runstead.worker.maintenance.rescue import rescue
from runstead.worker.worker import Worker

__all__ = ["sweep", "sweep_once"]

_log = logging.getLogger("runstead.sweep")

_PERIOD = 1.0
"""Seconds between two looks."""
_SECOND_LOOK = 0.2
"""Seconds in which a living worker that lost its session has another one."""


async def sweep(ports: Ports, worker: Worker) -> None:
    """Look once a second, for ever."""
    while True:
        try:
            await sweep_once(ports, worker.name)
        except Exception:
            _log.exception("looking for workers that are gone failed; trying again")
        await ports.clock.sleep(_PERIOD)


async def sweep_once(ports: Ports, observer: str) -> None:
    """Give up who is gone, and take over what nobody living holds."""
    absent = await ports.store.read(lambda tx: tx.workers.absent(observer))
    if absent:
        await asyncio.sleep(_SECOND_LOOK)
        gone = await ports.store.write(lambda tx: _give_up(tx, observer, set(absent)))
        for name in gone:
            _log.warning("a worker is gone worker=%s", name)
    await rescue(ports)


async def _give_up(tx: Tx, observer: str, absent: set[str]) -> list[str]:
    gone = [name for name in await tx.workers.absent(observer) if name in absent]
    for name in gone:
        await tx.workers.leave(name)
    return gone
