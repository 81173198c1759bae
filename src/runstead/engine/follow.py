"""The events of a run, exactly once and in order, from any position: first the store, then live, gaps read again.

Who follows listens first and reads then, so nothing falls between. What the broker tells may have holes, repeat itself
or come in any order: what does not come next is either known already, or is read from the store.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import TypeAlias

from msgspec import Struct

from runstead.engine.adapters import Adapters
from runstead.store.port import Tx
from runstead.wire.error import Closed, RunsteadError
from runstead.wire.event import Position, RawEvent

__all__ = ["follow"]

_log = logging.getLogger("runstead.follow")

_PAGE = 500
_PATIENCE = 60.0
"""Seconds for which a reader in the middle of a run waits for a store that is away."""
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0
"""Seconds between its tries."""

Live: TypeAlias = AsyncIterator[Sequence[RawEvent] | None]


async def follow(
    adapters: Adapters, run_id: str, after: Position, live: Live, *, replay: bool = True
) -> AsyncGenerator[Sequence[RawEvent]]:
    """The events behind `after`, those that are there together in one batch.

    `live` is what the broker tells of the run. Ends when the run has ended or waits for the client: a `replay` where
    it does so now, whatever pauses it has left behind; a stream that was there from the start at the first of them,
    however late its reader is. Deltas of a message that is written by now are not given again: the event that
    completed it carries the whole text.

    A store that cannot be read is an error at first; who has begun waits until it can be, for a while.
    """
    read = _read if replay else _read_patiently
    heard: Sequence[RawEvent] | None = None if replay else ()
    while True:
        fresh, gap = _next(heard or (), after)
        if not replay:
            fresh = _to_first_pause(fresh)
        if fresh:
            after = fresh[-1].at
            yield fresh
            if fresh[-1].name.pausing and not (replay and gap):
                return
        if heard is not None and not gap:
            heard = await anext(live)
            continue
        known, more = after, True
        while more:
            stored = await read(adapters, run_id, after)
            read = _read_patiently
            more = stored.more
            events = list(stored.events) if replay else _to_first_pause(stored.events)
            if events:
                after = events[-1].at
                yield events
            if stored.pausing or (not replay and events and events[-1].name.pausing):
                return
        # What was heard behind the gap follows now, unless not even the store knows what is missing, as one that was
        # restored from a copy: then wait for what comes next.
        heard = () if gap and after == known else heard or ()


def _next(heard: Sequence[RawEvent], after: Position) -> tuple[list[RawEvent], bool]:
    """Those of the events that come next, and whether stored ones are missing before the others."""
    fresh: list[RawEvent] = []
    for event in heard:
        at = event.at
        if at <= after:
            continue
        if at.seq > after.seq + (0 if at.delta else 1):
            return fresh, True
        # A delta whose predecessor was lost is of no use: text with a hole is worse than text that comes a bit later.
        if at.delta in {0, after.delta + 1}:
            fresh.append(event)
            after = at
    return fresh, False


def _to_first_pause(events: Sequence[RawEvent]) -> list[RawEvent]:
    for place, event in enumerate(events, 1):
        if event.name.pausing:
            return list(events[:place])
    return list(events)


class _Stored(Struct, frozen=True):
    """What the store has behind a position, up to a page, and whether the run pauses there."""

    events: Sequence[RawEvent]
    more: bool
    pausing: bool


async def _read_patiently(adapters: Adapters, run_id: str, after: Position) -> _Stored:
    """The same of a store that may be away for a while: the run has not ended for that."""
    clock = asyncio.get_running_loop().time
    until, pause = clock() + _PATIENCE, _FIRST_PAUSE
    while True:
        try:
            return await _read(adapters, run_id, after)
        except RunsteadError as error:
            if isinstance(error, Closed) or clock() >= until:
                raise
            _log.info("what a run tells cannot be read now; trying again: %s run=%s", error, run_id)
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


async def _read(adapters: Adapters, run_id: str, after: Position) -> _Stored:
    async def work(tx: Tx) -> _Stored:
        row = await tx.runs.load(run_id)
        if row is None:
            return _Stored((), more=False, pausing=True)  # deleted with its thread: nothing will come
        events = await tx.events.after(run_id, after.seq, _PAGE)
        more = bool(events) and events[-1].at.seq < row.seq
        return _Stored(events, more=more, pausing=not more and row.run.status.pausing)

    return await adapters.store.read(work)
