"""Runs that are a worker's though the store could not say so: nobody carries them, so they are handed back."""

import logging

from runstead.domain.lifecycle import Signal
from runstead.engine.endings import end_unheld
from runstead.engine.ports import Ports
from runstead.store.port import RunRow
from runstead.worker.worker import Worker

__all__ = ["hand_back_strays"]

_log = logging.getLogger("runstead.strays")

_PAUSE = 1.0
"""Seconds in which whoever takes a run has it in its hands."""


async def hand_back_strays(ports: Ports, worker: Worker) -> None:
    """Look whenever the worker is in doubt, for ever."""
    while True:
        await worker.in_doubt.wait()
        worker.in_doubt.clear()
        try:
            await _hand_back(ports, worker)
        except Exception:
            _log.exception("looking for runs that nobody carries failed; trying again")
            worker.in_doubt.set()
            await ports.clock.sleep(_PAUSE)


async def _hand_back(ports: Ports, worker: Worker) -> None:
    def if_stray(row: RunRow) -> Signal | None:
        return Signal.RESCUE if row.owner == worker.name and not worker.carries(row.run.id) else None

    held = await ports.store.read(lambda tx: tx.runs.held(worker.name))
    await ports.clock.sleep(_PAUSE)
    for run_id in held:
        if not worker.carries(run_id) and await end_unheld(ports, run_id, if_stray):
            _log.warning("handed back what nobody carried run=%s", run_id)
            await ports.broker.offer(run_id)
