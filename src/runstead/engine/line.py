"""A busy thread: what comes while a run of it has not ended is refused, waits in line, or interrupts that run.

Whoever asks for a place in line holds the thread, so nobody else takes it; and then the run that it waits behind, so
that this one does not end before somebody waits for its end.
"""

from collections.abc import Sequence

from runstead.domain.creation import value
from runstead.engine.commit import Written
from runstead.engine.endings import stop
from runstead.engine.ports import Ports
from runstead.store.port import RunRow, Tx
from runstead.wire.event import RawEvent
from runstead.wire.message import Message
from runstead.wire.options import OnBusy
from runstead.wire.run import Run, Status
from runstead.wire.struct import UnsetType
from runstead.wire.thread import Thread

__all__ = ["ahead", "interrupt", "line_up", "wanted"]


def wanted(ports: Ports, thread: Thread, given: OnBusy | None | UnsetType) -> OnBusy:
    """What shall happen on a busy thread: what was `given`, or else what the thread says, or the server."""
    return value(given, value(thread.on_busy, ports.on_busy))


async def ahead(tx: Tx, project: str, thread_id: str, on_busy: OnBusy) -> RunRow | None:
    """The run that what comes waits behind. None if it need not wait, or would rather be refused."""
    match on_busy:
        case "enqueue":
            return await tx.runs.last_in_line(project, thread_id)
        case "interrupt":
            return await tx.runs.first_in_line(project, thread_id)
        case "reject":
            return None


async def line_up(
    tx: Tx, ahead: RunRow, run: Run, messages: Sequence[Message], events: Sequence[RawEvent], *, first: bool
) -> RunRow:
    """Add a run behind the one `ahead`, with the messages that it brings; `first` of all who wait for that one."""
    if first:
        await tx.runs.overtake(run.id, ahead.run.id)
    row = await tx.runs.insert(ahead.project, run, events, behind=ahead.run.id)
    if messages:
        await tx.messages.insert(ahead.project, messages, behind=ahead.run.id, brought_by=run.id)
    return row


async def interrupt(tx: Tx, ahead: RunRow, now: int) -> Written | None:
    """Stop the run for which somebody waits; None if it is stopping already."""
    return None if ahead.run.status is Status.CANCELLING else await stop(tx, ahead, now)
