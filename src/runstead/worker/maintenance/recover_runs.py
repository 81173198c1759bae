"""Recovery: runs of expired workers are queued again, or cancelled if they were cancelling. Open steps are closed."""

import asyncio
import logging
import random

from runstead.domain.run.lifecycle import Signal
from runstead.engine.adapters import Adapters
from runstead.engine.execution.stop import end_unowned
from runstead.store.port import RunRow
from runstead.wire.run import Status

__all__ = ["recover_runs"]

_log = logging.getLogger("runstead.recover")

_BATCH = 1000


async def recover_runs(adapters: Adapters) -> int:
    """Recover the runs of workers that are gone; how many there were.

    Finished steps and calls stay. A half-streamed turn is closed as failed and asked again.
    """
    recovered = 0
    more = True
    while more:
        orphans = await adapters.store.read(lambda tx: tx.runs.orphans(_BATCH))
        random.shuffle(orphans)  # several processes recover at once: this way they rarely try the same run
        done = sum(await asyncio.gather(*(_recover(adapters, run_id, owner) for run_id, owner in orphans)))
        recovered += done
        # A worker that is gone and does not know it may still claim a recovered run: that is for the next pass.
        more = done > 0 and len(orphans) == _BATCH
    if recovered:
        _log.info("recovered runs of workers that are gone: runs=%d", recovered)
    return recovered


async def _recover(adapters: Adapters, run_id: str, owner: str) -> bool:
    """Whether this process recovered the run. A failure does not keep the others from being recovered."""

    def if_still_owned(row: RunRow) -> Signal | None:
        owned = row.owner == owner and row.run.status in {Status.IN_PROGRESS, Status.CANCELLING}
        return Signal.RECOVER if owned else None

    try:
        row = await end_unowned(adapters, run_id, if_still_owned)
    except Exception:
        _log.exception("recovering a run failed; trying again later run=%s", run_id)
        return False
    if row is None:
        return False
    adapters.observer.run_recovered(row)
    await adapters.broker.offer(run_id)
    return True
