"""Runs whose worker is gone are closed where they stand, and queued again."""

import asyncio
import logging

from runstead.domain.lifecycle import Signal
from runstead.engine.endings import end_unheld
from runstead.engine.ports import Ports
from runstead.store.port import RunRow
from runstead.wire.run import Status

__all__ = ["rescue"]

_log = logging.getLogger("runstead.rescue")

_BATCH = 1000


async def rescue(ports: Ports, owner: str) -> int:
    """Take every run from workers other than `owner`: for a store whose only worker is the one that starts now.

    How many there were. What they had finished stays; what was half done is closed for what it is, and done again.
    """
    rescued = 0
    while held := await ports.store.read(lambda tx: tx.runs.held(owner, _BATCH)):
        async with asyncio.TaskGroup() as group:
            for run_id in held:
                group.create_task(end_unheld(ports, run_id, Signal.RESCUE, lambda row: _orphan(row, owner)))
        rescued += len(held)
    if rescued:
        _log.info("took over runs of a worker that is gone: runs=%d", rescued)
    return rescued


def _orphan(row: RunRow, owner: str) -> bool:
    return row.run.status in {Status.IN_PROGRESS, Status.CANCELLING} and row.owner != owner
