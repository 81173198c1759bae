"""Runs past their deadline are ended. A run that a worker owns is ended by that worker."""

import asyncio
import logging

from runstead.domain.run.deadline import stop_signal
from runstead.domain.run.lifecycle import Signal
from runstead.engine.adapters import Adapters
from runstead.engine.execution.stop import end_unowned
from runstead.store.port import Lane, RunRow
from runstead.worker.failures import log_failure

__all__ = ["expire_runs", "expire_runs_once"]

_log = logging.getLogger("runstead.expire")

_PERIOD = 1.0
"""Seconds between two passes: how late an expiry may be."""
_BATCH = 1000


async def expire_runs(adapters: Adapters) -> None:
    """Expire runs once a second, for ever."""
    while True:
        try:
            await expire_runs_once(adapters)
        except Exception as error:
            log_failure(_log, error, "expiring runs failed; trying again")
        await adapters.clock.sleep(_PERIOD)


async def expire_runs_once(adapters: Adapters) -> int:
    """End the runs that are past their deadline: expired, or out of their budget of seconds. How many there were.

    Several processes may find the same run. The first one ends it.
    """
    now = adapters.now()
    overdue = await adapters.store.read(lambda tx: tx.runs.overdue(now, _BATCH), lane=Lane.MAINTENANCE)
    return sum(await asyncio.gather(*(_end(adapters, run_id, now) for run_id in overdue)))


async def _end(adapters: Adapters, run_id: str, now: int) -> bool:
    """Whether this process ended the run. A failure does not keep the others from being ended."""

    def if_unowned(row: RunRow) -> Signal | None:
        return None if row.owner is not None or row.run.status.terminal else stop_signal(row.run, now)

    try:
        return await end_unowned(adapters, run_id, if_unowned) is not None
    except Exception as error:
        log_failure(_log, error, "ending an overdue run failed; trying again run=%s", run_id)
        return False
