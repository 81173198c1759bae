"""A busy thread: what comes while a run of it has not ended is refused, waits in line, or interrupts that run.

Whoever asks for a place in line holds the thread, so nobody else takes it; and then the run that it waits behind, so
that this one does not end before somebody waits for its end.
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
    """What shall happen on a busy thread: what was `given`, or else what the thread says, or the server."""
    return value_or(given, value_or(thread.on_busy, adapters.limits.on_busy))


async def predecessor_for(tx: Tx, project: str, thread_id: str, on_busy: OnBusy) -> RunRow | None:
    """The run that what comes waits behind. None if it need not wait, or would rather be refused."""
    match on_busy:
        case "enqueue":
            return await tx.runs.queue_tail(project, thread_id)
        case "interrupt":
            return await tx.runs.queue_head(project, thread_id)
        case "reject":
            return None


async def enqueue(tx: Tx, ahead: RunRow, change: Change, *, first: bool) -> RunRow:
    """Add a new run, with its messages, behind the one `ahead`; `first` of all that wait for that one."""
    if first:
        await tx.runs.insert_after(change.run.id, ahead.run.id)
    return (await tx.runs.create(ahead.project, change, predecessor=ahead.run.id)).row


async def interrupt(tx: Tx, ahead: RunRow, now: int) -> Committed | None:
    """Stop the run for which somebody waits; None if it is stopping already."""
    return None if ahead.run.status is Status.CANCELLING else await stop(tx, ahead, now)
