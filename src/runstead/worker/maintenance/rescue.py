"""Runs whose worker is gone are closed where they stand, and queued again."""

import asyncio
import logging
from collections.abc import Callable

from runstead.domain.lifecycle import Signal
from runstead.engine.endings import end_unheld
from runstead.engine.ports import Ports
from runstead.store.port import RunRow
from runstead.wire.run import Status

__all__ = ["rescue"]

_log = logging.getLogger("runstead.rescue")

_BATCH = 1000


async def rescue(ports: Ports) -> int:
    """Take the runs of workers that are gone; how many there were.

    What they had finished stays; what was half done is closed for what it is, and done again.
    """
    rescued = 0
    while orphans := await ports.store.read(lambda tx: tx.runs.orphans(_BATCH)):
        async with asyncio.TaskGroup() as group:
            for run_id, owner in orphans:
                group.create_task(end_unheld(ports, run_id, _if_held_by(owner)))
        rescued += len(orphans)
    if rescued:
        _log.info("took over runs of a worker that is gone: runs=%d", rescued)
    return rescued


def _if_held_by(owner: str) -> Callable[[RunRow], Signal | None]:
    def signal(row: RunRow) -> Signal | None:
        held = row.owner == owner and row.run.status in {Status.IN_PROGRESS, Status.CANCELLING}
        return Signal.RESCUE if held else None

    return signal
