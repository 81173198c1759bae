"""Runs that are a worker's though the store could not say so: nobody carries them, so they are handed back."""

import logging

from runstead.domain.run.lifecycle import Signal
from runstead.engine.adapters import Adapters
from runstead.engine.execution.stop import end_unowned
from runstead.store.port import RunRow
from runstead.worker.worker import Worker

__all__ = ["hand_back_strays"]

_log = logging.getLogger("runstead.strays")

_PAUSE = 1.0
"""Seconds in which whoever takes a run has it in its hands."""


async def hand_back_strays(adapters: Adapters, worker: Worker) -> None:
    """Look whenever the worker is in doubt, for ever."""
    while True:
        await worker.claim_unsure.wait()
        worker.claim_unsure.clear()
        try:
            await _hand_back(adapters, worker)
        except Exception:
            _log.exception("looking for runs that nobody carries failed; trying again")
            worker.claim_unsure.set()
            await adapters.clock.sleep(_PAUSE)


async def _hand_back(adapters: Adapters, worker: Worker) -> None:
    def if_stray(row: RunRow) -> Signal | None:
        return Signal.RECOVER if row.owner == worker.name and not worker.executes(row.run.id) else None

    held = await adapters.store.read(lambda tx: tx.runs.owned_by(worker.name))
    await adapters.clock.sleep(_PAUSE)
    for run_id in held:
        if not worker.executes(run_id) and await end_unowned(adapters, run_id, if_stray):
            _log.warning("handed back what nobody carried run=%s", run_id)
            await adapters.broker.offer(run_id)
