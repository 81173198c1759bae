"""Runs whose time is up are expired, whoever holds them."""

import logging

from runstead.domain.lifecycle import Signal
from runstead.engine.endings import end_unheld
from runstead.engine.ports import Ports
from runstead.store.port import RunRow

__all__ = ["expire", "expire_overdue"]

_log = logging.getLogger("runstead.expire")

_PERIOD = 1.0
"""Seconds between two looks: how late an expiry may be."""
_BATCH = 1000


async def expire(ports: Ports) -> None:
    """Look once a second, for ever."""
    while True:
        try:
            await expire_overdue(ports)
        except Exception:
            _log.exception("looking for overdue runs failed; trying again")
        await ports.clock.sleep(_PERIOD)


async def expire_overdue(ports: Ports) -> int:
    """Expire what is overdue now, and tell the workers of what they hold; how many there were."""
    now = ports.now()
    overdue = await ports.store.read(lambda tx: tx.runs.overdue(now, _BATCH))
    for run_id in overdue:
        if not await end_unheld(ports, run_id, Signal.EXPIRE, _nobody_holds):
            await ports.broker.interrupt(run_id)
    return len(overdue)


def _nobody_holds(row: RunRow) -> bool:
    return row.owner is None and not row.run.status.terminal
