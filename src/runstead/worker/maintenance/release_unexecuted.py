"""Runs that a worker owns without executing them are released: the store did not confirm their claim."""

import logging

from runstead.domain.run.lifecycle import Signal
from runstead.engine.adapters import Adapters
from runstead.engine.execution.stop import end_unowned
from runstead.store.port import Lane, RunRow
from runstead.worker.failures import log_failure
from runstead.worker.worker import Worker

__all__ = ["release_unexecuted"]

_log = logging.getLogger("runstead.worker")

_PAUSE = 1.0
"""Seconds in which a claimed run is being executed."""


async def release_unexecuted(adapters: Adapters, worker: Worker) -> None:
    """Release such runs whenever the worker is unsure of a claim, for ever."""
    while True:
        await worker.claim_unsure.wait()
        worker.claim_unsure.clear()
        try:
            await _release(adapters, worker)
        except Exception as error:
            log_failure(_log, error, "polling for owned runs that are not executed failed; trying again")
            worker.claim_unsure.set()
            await adapters.clock.sleep(_PAUSE)


async def _release(adapters: Adapters, worker: Worker) -> None:
    def if_unexecuted(row: RunRow) -> Signal | None:
        return Signal.RECOVER if row.owner == worker.name and not worker.executes(row.run.id) else None

    owned = await adapters.store.read(lambda tx: tx.runs.owned_by(worker.name), lane=Lane.MAINTENANCE)
    await adapters.clock.sleep(_PAUSE)
    for run_id in owned:
        if not worker.executes(run_id) and await end_unowned(adapters, run_id, if_unexecuted):
            _log.warning("released a run that was owned and not executed run=%s", run_id)
            await adapters.broker.offer(run_id)
