"""Ending runs: those that somebody asks to stop, and those that nobody works on any more."""

from collections.abc import Callable

from runstead.broker.port import Broker
from runstead.domain import moves
from runstead.domain.lifecycle import Signal
from runstead.engine.commit import Written, tell, write
from runstead.engine.half_done import half_done
from runstead.engine.ports import Ports
from runstead.store.port import RunRow, Stale, Tx

__all__ = ["end_unheld", "stop", "tell_stopped"]


async def stop(tx: Tx, row: RunRow, now: int) -> Written:
    """Ask a run to stop; one that nobody holds has stopped at once."""
    if row.owner is None:
        return await write(tx, row, moves.abandon(row.run, *await half_done(tx, row), now), now)
    return await write(tx, row, moves.cancel(row.run, now), now, row.owner)


async def tell_stopped(broker: Broker, stopped: Written) -> None:
    """Tell of what `stop` has committed, and whoever holds the run."""
    await tell(broker, stopped)
    if stopped.row.owner is not None:
        await broker.interrupt(stopped.row.run.id)


async def end_unheld(ports: Ports, run_id: str, signal: Callable[[RunRow], Signal | None]) -> bool:
    """Give a run the `signal` that it needs as it stands now; False if it needs none, for it has moved on by itself."""

    async def work(tx: Tx) -> Written | None:
        row = await tx.runs.load(run_id)
        given = signal(row) if row is not None else None
        if row is None or given is None:
            return None
        opened, spent = await half_done(tx, row)
        now = ports.now()
        return await write(tx, row, moves.end(row.run, given, opened, now, spent), now)

    try:
        ended = await ports.store.write(work)
    except Stale:
        return False
    if ended is None:
        return False
    await tell(ports.broker, ended)
    return True
