"""Ending what nobody works on: runs whose worker is gone, and runs whose time is up."""

from collections.abc import Callable

from runstead.domain import moves
from runstead.domain.change import Change
from runstead.domain.lifecycle import Signal
from runstead.engine.commit import numbered, write
from runstead.engine.half_done import half_done
from runstead.engine.ports import Ports
from runstead.store.port import RunRow, Stale, Tx

__all__ = ["end_unheld"]


async def end_unheld(ports: Ports, run_id: str, signal: Callable[[RunRow], Signal | None]) -> bool:
    """Give a run the `signal` that it needs as it stands now; False if it needs none, for it has moved on by itself."""

    async def work(tx: Tx) -> tuple[RunRow, Change] | None:
        row = await tx.runs.load(run_id)
        given = signal(row) if row is not None else None
        if row is None or given is None:
            return None
        opened, spent = await half_done(tx, row)
        change = moves.end(row.run, given, opened, ports.now(), spent)
        return await write(tx, row, change), change

    try:
        ended = await ports.store.write(work)
    except Stale:
        return False
    if ended is None:
        return False
    row, change = ended
    await ports.broker.publish(run_id, numbered(change.events, row.seq))
    return True
