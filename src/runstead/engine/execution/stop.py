"""Runs that are stopped from outside: cancelled, expired, or recovered from a worker that is gone."""

from collections.abc import Callable

from runstead.domain.run import transitions
from runstead.domain.run.lifecycle import Signal
from runstead.engine.adapters import Adapters
from runstead.engine.execution.commit import Committed, publish, write
from runstead.engine.execution.journal import read_open_work
from runstead.store.port import Lane, RunRow, Stale, Tx

__all__ = ["end_unowned", "publish_stopped", "stop", "stop_unowned"]


async def stop(tx: Tx, row: RunRow, now: int) -> Committed:
    """Cancel a run. Without an owner it ends at once. An owner ends it: `publish_stopped` interrupts that worker."""
    if row.owner is None:
        return await stop_unowned(tx, row, now)
    return await write(tx, row, transitions.cancel(row.run, now), now)


async def stop_unowned(tx: Tx, row: RunRow, now: int) -> Committed:
    """End a run at once, as cancelled."""
    open_work, spent = await read_open_work(tx, row), await tx.steps.spent(row.run.id)
    return await write(tx, row, transitions.stop(row.run, open_work, spent, now), now)


async def publish_stopped(adapters: Adapters, stopped: Committed) -> None:
    """Publish what `stop` has committed, and interrupt the run's owner."""
    await publish(adapters, stopped)
    if stopped.row.owner is not None:
        await adapters.broker.interrupt(stopped.row.run.id)


async def end_unowned(adapters: Adapters, run_id: str, signal: Callable[[RunRow], Signal | None]) -> RunRow | None:
    """Give a run the `signal` that it needs as it stands now. The run after it; None if it needs none any more."""

    async def work(tx: Tx) -> Committed | None:
        row = await tx.runs.load(run_id)
        given = signal(row) if row is not None else None
        if row is None or given is None:
            return None
        open_work, spent = await read_open_work(tx, row), await tx.steps.spent(run_id)
        now = adapters.now()
        return await write(tx, row, transitions.end(row.run, given, open_work, now, spent), now)

    if not adapters.turn_budget.take():  # thousands of runs may be ended in the same moment
        await adapters.turn_budget.next_turn()
    try:
        ended = await adapters.store.write(work, lane=Lane.CLOSING)
    except Stale:
        return None
    if ended is None:
        return None
    await publish(adapters, ended)
    return ended.row
