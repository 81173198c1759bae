"""The queue of a busy thread: a run or message that meets an active run is refused, queued, or interrupts that run.

Queueing locks the thread, so that no other request takes the same place, and then the predecessor, so that it does not
end before its successor is written.
"""

from runstead.domain.creation import value_or
from runstead.domain.run.change import Change
from runstead.engine.adapters import Adapters
from runstead.engine.execution.commit import Committed
from runstead.engine.execution.stop import stop
from runstead.store.port import RunRow, Tx
from runstead.wire.options import OnBusy
from runstead.wire.run import Status
from runstead.wire.struct import UnsetType
from runstead.wire.thread import Thread

__all__ = ["enqueue", "interrupt", "on_busy_for", "predecessor_for"]


def on_busy_for(adapters: Adapters, thread: Thread, given: OnBusy | None | UnsetType) -> OnBusy:
    """The `on_busy` that applies: that of the request, else of the thread, else of the server."""
    return value_or(given, value_or(thread.on_busy, adapters.limits.on_busy))


async def predecessor_for(tx: Tx, project: str, thread_id: str, on_busy: OnBusy) -> RunRow | None:
    """The run to queue behind; None if the thread is idle or `on_busy` is `reject`."""
    match on_busy:
        case "enqueue":
            return await tx.runs.queue_tail(project, thread_id)
        case "interrupt":
            return await tx.runs.queue_head(project, thread_id)
        case "reject":
            return None


async def enqueue(tx: Tx, predecessor: RunRow, change: Change, *, first: bool) -> RunRow:
    """Queue a new run, with its messages, behind a predecessor: directly behind it if `first`, else at the end."""
    if first:
        await tx.runs.insert_after(change.run.id, predecessor.run.id)
    return (await tx.runs.create(predecessor.project, change, predecessor=predecessor.run.id)).row


async def interrupt(tx: Tx, predecessor: RunRow, now: int) -> Committed | None:
    """Cancel the run that the new one is queued behind; None if it is being cancelled already."""
    return None if predecessor.run.status is Status.CANCELLING else await stop(tx, predecessor, now)
