"""Runs whose worker is gone are closed where they stand, and queued again."""

import asyncio
import logging
import random

from runstead.domain.run.lifecycle import Signal
from runstead.engine.adapters import Adapters
from runstead.engine.execution.stop import end_unowned
from runstead.store.port import RunRow
from runstead.wire.run import Status

__all__ = ["recover"]

_log = logging.getLogger("runstead.recover")

_BATCH = 1000


async def recover(adapters: Adapters) -> int:
    """Take the runs of workers that are gone; how many there were.

    What they had finished stays; what was half done is closed for what it is, and done again.
    """
    recovered = 0
    more = True
    while more:
        orphans = await adapters.store.read(lambda tx: tx.runs.orphans(_BATCH))
        random.shuffle(orphans)  # several processes look at once: so they rarely meet
        taken = sum(await asyncio.gather(*(_take_over(adapters, run_id, owner) for run_id, owner in orphans)))
        recovered += taken
        # Who is gone and does not know it yet may still take what was recovered: that is for the next look.
        more = taken > 0 and len(orphans) == _BATCH
    if recovered:
        _log.info("took over runs of a worker that is gone: runs=%d", recovered)
    return recovered


async def _take_over(adapters: Adapters, run_id: str, owner: str) -> bool:
    """Whether it was done here. One that fails stands in nobody's way."""

    def if_still_held(row: RunRow) -> Signal | None:
        held = row.owner == owner and row.run.status in {Status.IN_PROGRESS, Status.CANCELLING}
        return Signal.RECOVER if held else None

    try:
        taken = await end_unowned(adapters, run_id, if_still_held)
    except Exception:
        _log.exception("taking over a run failed; trying again later run=%s", run_id)
        return False
    if taken is None:
        return False
    adapters.observer.run_recovered(taken)
    await adapters.broker.offer(run_id)
    return True
