"""One subscriber to one run in this process, for every broker."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence

from runstead.broker.backlog import Backlog, size_of
from runstead.broker.kept_deltas import KeptBatch, KeptDeltas
from runstead.wire.event import RawEvent

__all__ = ["BACKLOG", "SILENCE", "Subscriber"]

SILENCE = 5.0
"""Seconds without an event after which a waiting subscriber reads the store."""
BACKLOG = 20_000
"""Events that may wait for one subscriber. A subscriber with more loses them and reads the store."""


class Subscriber:
    """A queue of events with a timeout, the kept deltas first.

    A wait costs one future, and one timer serves all waits. Events that wait behind others count in the `backlog`,
    which all subscribers share.
    """

    def __init__(self, silence: float, kept: KeptDeltas, backlog: Backlog) -> None:
        self._silence = silence
        self._backlog = backlog
        self._held = 0
        """The bytes of waiting events that are counted in the backlog."""
        self._kept = deque(kept.batches())
        self._waiting: list[RawEvent] = []
        self._must_read = False
        self._loop = asyncio.get_running_loop()
        self._woken: asyncio.Future[None] | None = None
        self._last = self._loop.time()
        self._timer = self._loop.call_later(silence, self._timed_out)

    def receive(self, events: Sequence[RawEvent]) -> None:
        """Add events that have arrived."""
        if self._waiting and not self._may_wait(events):
            self.drop()
            return
        self._waiting.extend(events)
        self._wake()

    def drop(self) -> None:
        """Events were lost. Drop those that wait, and make the subscriber read the store."""
        self._kept.clear()
        self._waiting.clear()
        self._release()
        self._must_read = True
        self._wake()

    def read_store(self) -> None:
        """Make a subscriber that is waiting read the store, which may have its event already."""
        if self._woken is not None:
            self._must_read = True
            self._wake()

    async def batches(self) -> AsyncIterator[Sequence[RawEvent] | None]:
        """The iterator of `Broker.subscribe`."""
        while True:
            yield await self._next()

    async def _next(self) -> Sequence[RawEvent] | None:
        while not self._kept and not self._waiting and not self._must_read:
            self._woken = self._loop.create_future()
            try:
                await self._woken
            finally:
                self._woken = None
        self._last = self._loop.time()
        if self._must_read:
            self._must_read = False
            return None
        if self._kept:
            batch = self._kept.popleft()
            return batch.unpack() if isinstance(batch, KeptBatch) else batch
        events, self._waiting = self._waiting, []
        if self._held:
            self._release()
        return events

    def stop(self) -> None:
        """End the subscription."""
        self._timer.cancel()
        self._waiting.clear()
        self._release()

    def _may_wait(self, events: Sequence[RawEvent]) -> bool:
        """Whether there is room for these events behind those that wait. Events of a fast subscriber never wait."""
        size = size_of(events)
        if len(self._waiting) + len(events) > BACKLOG or not self._backlog.take(size):
            return False
        self._held += size
        return True

    def _release(self) -> None:
        held, self._held = self._held, 0
        self._backlog.give_back(held)

    def _wake(self) -> None:
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    def _timed_out(self) -> None:
        now = self._loop.time()
        due = self._last + self._silence
        if due <= now:
            due = now + self._silence
            self.read_store()
        self._timer = self._loop.call_at(due, self._timed_out)
