"""Following a run: its events from any position, exactly once and in order.

A follower subscribes first and then reads the store, so no event is missed in between. Then it follows live events.
Live events may have gaps, repetitions and any order. An event that is not the next one is either known already, or
follows a gap, which is read from the store.

Events about a run are stored and published with the run's state alone. The follower puts the settings in.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from typing import TypeAlias

from msgspec import Struct

from runstead.engine.adapters import Adapters
from runstead.engine.included import shown_event
from runstead.engine.missing_deltas import MissingDeltas
from runstead.store.port import Tx
from runstead.turn_budget import TurnBudget
from runstead.wire.codec.run_parts import Settings, encode_settings
from runstead.wire.error import Closed, RunsteadError, Unreachable
from runstead.wire.event import EVENT_DATA, Position, RawEvent
from runstead.wire.run import Run
from runstead.wire.run_step import Include

__all__ = ["follow"]

_log = logging.getLogger("runstead.follow")

_PAGE = 500
"""Events that are read at once."""
_BATCH = 512 * 1024
"""Bytes of events that a reader is given at once, about."""
_PATIENCE = 60.0
"""Seconds that a follower in the middle of a run waits for a store that is away."""
_FIRST_PAUSE = 0.05
_MAX_PAUSE = 1.0
"""Seconds between its attempts."""

Live: TypeAlias = AsyncIterator[Sequence[RawEvent] | None]


async def follow(
    adapters: Adapters,
    run: Run,
    after: Position,
    live: Live,
    *,
    replay: bool = True,
    include: Sequence[Include] = (),
) -> AsyncGenerator[Sequence[RawEvent]]:
    """The events after a position, as the wire has them. Events that are available together are one batch, up to about
    half a megabyte.

    `live` are the events that the broker delivers. The stream ends when the run has ended or waits for the client (a
    pause). With `replay`, only the pause in which the run is now ends the stream: earlier pauses are events like any
    other. Without `replay`, the first pause ends the stream, even if the run has continued since. Deltas of a message
    that is completed by now are not sent again: the completed event has the whole text. Of a message that is completed
    later, the deltas have the whole text, whatever the broker has lost.

    A store that cannot be read is an error before the first event. After it, the follower waits for a while.
    """
    known, missing = Settings(encode_settings(run)), MissingDeltas(after, live=not replay)
    async with aclosing(_follow(adapters, run.id, after, live, missing, replay=replay)) as batches:
        async for followed in batches:
            events = missing.added_to(followed)
            for batch in _whole(events, known, include):
                yield batch
                if len(batch) < len(events):
                    await asyncio.sleep(0)  # a long replay must not keep other tasks waiting
            del followed, events, batch  # a reader that waits must not keep its last page


def _whole(events: Sequence[RawEvent], known: Settings, include: Sequence[Include]) -> Iterator[Sequence[RawEvent]]:
    """The events with whole runs and with what their reader asked for, in batches of limited size."""
    first, last = events[0].at, events[-1].at
    if first.delta and first.seq == last.seq:  # all are deltas, and the broker has limited their size
        yield events
        return
    batch: list[RawEvent] = []
    size = 0
    for event in events:
        of_run = EVENT_DATA.get(event.name) is Run
        batch.append(event._replace(data=known.whole(event.data)) if of_run else shown_event(event, include))
        size += len(batch[-1].data)
        if size >= _BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


async def _follow(
    adapters: Adapters, run_id: str, after: Position, live: Live, missing: MissingDeltas, *, replay: bool
) -> AsyncGenerator[Sequence[RawEvent]]:
    """The same events, as they are stored and published."""
    read, budget = (_read if replay else _read_patiently), adapters.reader_budget
    received: Sequence[RawEvent] | None = None if replay else ()
    while True:
        fresh, gap = _next(received or (), after)
        if not replay:
            fresh = _to_first_pause(fresh)
        if fresh:
            after = fresh[-1].at
            yield fresh
            if fresh[-1].name.pausing and not (replay and gap):
                return
        if received is not None and not gap:
            received = await _receive(live, budget)
            continue
        known, more = after, True
        while more:
            if known != after:
                await asyncio.sleep(0)
            async with adapters.page_permits.page():
                stored = await read(adapters, run_id, after)
                read = _read_patiently
                more = stored.more
                events = list(stored.events) if replay else _to_first_pause(stored.events)
                if events:
                    after = events[-1].at
                    yield events
            if stored.pausing or (not replay and events and events[-1].name.pausing):
                return
            del stored, events
        missing.live = True
        # The events that were received after the gap are next. If the store lacks the missing events too, because it
        # was restored from a copy, wait for a live event instead.
        received = () if gap and after == known else received or ()


async def _receive(live: Live, budget: TurnBudget) -> Sequence[RawEvent] | None:
    """The next live events, in a turn of the loop that has not thousands of readers already."""
    received = await anext(live)
    if not budget.take():
        await budget.next_turn()
    return received


def _next(received: Sequence[RawEvent], after: Position) -> tuple[list[RawEvent], bool]:
    """The events that continue from the position, and whether stored events are missing before the rest."""
    fresh: list[RawEvent] = []
    for event in received:
        at = event.at
        if at <= after:
            continue
        if at.seq > after.seq + (0 if at.delta else 1):
            return fresh, True
        # A delta after a lost one is of no use: text with a gap is worse than text that arrives a little later.
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
    """A page of stored events after a position, and whether the run pauses after it."""

    events: Sequence[RawEvent]
    more: bool
    pausing: bool


async def _read_patiently(adapters: Adapters, run_id: str, after: Position) -> _Stored:
    """As `_read`, waiting while the store cannot be reached: the run continues meanwhile."""
    clock = asyncio.get_running_loop().time
    until, pause = clock() + _PATIENCE, _FIRST_PAUSE
    while True:
        try:
            return await _read(adapters, run_id, after)
        except RunsteadError as error:
            if isinstance(error, Closed) or clock() >= until:
                raise
            # There may be thousands of followers, and an outage of the store has a log line of its own.
            log = _log.debug if isinstance(error, Unreachable) else _log.info
            log("reading the events of a run failed; trying again: %s run=%s", error, run_id)
        await asyncio.sleep(pause)
        pause = min(pause * 2, _MAX_PAUSE)


async def _read(adapters: Adapters, run_id: str, after: Position) -> _Stored:
    async def work(tx: Tx) -> _Stored:
        row = await tx.runs.load(run_id)
        if row is None:
            return _Stored((), more=False, pausing=True)  # deleted with its thread: no event will follow
        events = await tx.events.after(run_id, after.seq, _PAGE)
        more = bool(events) and events[-1].at.seq < row.seq
        return _Stored(events, more=more, pausing=not more and row.run.status.pausing)

    return await adapters.store.read(work)
