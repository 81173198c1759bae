"""The events of a run, exactly once and in order, from any position: first the store, then live, gaps read again.

Who follows listens first and reads then, so nothing falls between.
"""

from collections.abc import AsyncIterator, Sequence
from typing import TypeAlias

from runstead.engine.ports import Ports
from runstead.store.port import RunRow, Tx
from runstead.wire.event import Position, RawEvent

__all__ = ["follow"]

_PAGE = 500

Live: TypeAlias = AsyncIterator[Sequence[RawEvent] | None]


async def follow(
    ports: Ports, run_id: str, after: Position, live: Live, *, missed: bool = True
) -> AsyncIterator[Sequence[RawEvent]]:
    """The events behind `after`, those that are there together in one batch.

    `live` is what the broker tells of the run; `missed` says whether there may be events that it did not hear. Ends
    when the run has ended or waits for the client, and everything up to there was given. Deltas of a message that is
    written by now are not given again: the event that completed it carries the whole text.
    """
    heard: Sequence[RawEvent] | None = None if missed else ()
    while True:
        if heard is None or _gap(heard, after):
            async for events, pausing in _stored(ports, run_id, after):
                if events:
                    after = events[-1].at
                    yield events
                if pausing:
                    return
        fresh = [event for event in heard or () if event.at > after]
        if fresh:
            after = fresh[-1].at
            yield fresh
            if fresh[-1].name.pausing:
                return
        heard = await anext(live)


def _gap(heard: Sequence[RawEvent], after: Position) -> bool:
    """Whether stored events are missing between what was given and what was heard."""
    if not heard:
        return False
    first = heard[0].at
    return first.seq > after.seq + (0 if first.delta else 1)


async def _stored(ports: Ports, run_id: str, after: Position) -> AsyncIterator[tuple[Sequence[RawEvent], bool]]:
    """What the store has behind a position, in pages, each with whether the run pauses after it."""
    seq = after.seq
    while True:
        row, events = await _page(ports, run_id, seq)
        if row is None:
            yield events, True  # deleted with its thread: nothing will come
            return
        seq = events[-1].at.seq if events else seq
        ended = seq >= row.seq
        yield events, ended and row.run.status.pausing
        if ended:
            return


async def _page(ports: Ports, run_id: str, seq: int) -> tuple[RunRow | None, list[RawEvent]]:
    async def work(tx: Tx) -> tuple[RunRow | None, list[RawEvent]]:
        return await tx.runs.load(run_id), await tx.events.after(run_id, seq, _PAGE)

    return await ports.store.read(work)
