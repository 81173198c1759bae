"""Runs whose time is up are ended; those that a worker holds it stops itself."""

import asyncio
import logging

from runstead.domain.run.deadline import stop_signal
from runstead.domain.run.lifecycle import Signal
from runstead.engine.adapters import Adapters
from runstead.engine.execution.stop import end_unowned
from runstead.store.port import RunRow

__all__ = ["expire", "expire_overdue"]

_log = logging.getLogger("runstead.expire")

_PERIOD = 1.0
"""Seconds between two looks: how late an expiry may be."""
_BATCH = 1000


async def expire(adapters: Adapters) -> None:
    """Look once a second, for ever."""
    while True:
        try:
            await expire_overdue(adapters)
        except Exception:
            _log.exception("looking for overdue runs failed; trying again")
        await adapters.clock.sleep(_PERIOD)


async def expire_overdue(adapters: Adapters) -> int:
    """End what is overdue now: it has expired, or its budget of time is used up; how many that were.

    Several processes may find the same runs: whoever comes second leaves them as they are.
    """
    now = adapters.now()
    overdue = await adapters.store.read(lambda tx: tx.runs.overdue(now, _BATCH))
    return sum(await asyncio.gather(*(_end(adapters, run_id, now) for run_id in overdue)))


async def _end(adapters: Adapters, run_id: str, now: int) -> bool:
    """Whether it was done here. One that fails stands in nobody's way."""

    def if_unheld(row: RunRow) -> Signal | None:
        return None if row.owner is not None or row.run.status.terminal else stop_signal(row.run, now)

    try:
        return await end_unowned(adapters, run_id, if_unheld) is not None
    except Exception:
        _log.exception("ending an overdue run failed; trying again run=%s", run_id)
        return False
