"""One reader of one run, on this machine. What brings the events differs between brokers; how they wait does not."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from runstead.wire.event import RawEvent

__all__ = ["BACKLOG", "SILENCE", "Listener"]

SILENCE = 5.0
"""Seconds after which a waiting listener is told to look in the store."""
BACKLOG = 20_000
"""Events that wait for one listener; a slower one loses them and reads the store again."""


class Listener:
    """Waiting costs one future; silence is told by one timer for all of its waits."""

    def __init__(self, kept: Sequence[RawEvent], silence: float) -> None:
        self._longest_silence = silence
        self._waiting: list[RawEvent] = list(kept)
        self._look = False
        self._loop = asyncio.get_running_loop()
        self._woken: asyncio.Future[None] | None = None
        self._last = self._loop.time()
        self._timer = self._loop.call_later(silence, self._silence)

    def hear(self, events: Sequence[RawEvent]) -> None:
        """These come next."""
        if len(self._waiting) + len(events) > BACKLOG:
            self.miss()
            return
        self._waiting.extend(events)
        self._wake()

    def miss(self) -> None:
        """Something was dropped: what waits is dropped too, and the reader looks in the store."""
        self._waiting.clear()
        self._look = True
        self._wake()

    def look(self) -> None:
        """What it waits for may be in the store already."""
        if self._woken is not None:
            self._look = True
            self._wake()

    async def listen(self) -> AsyncIterator[Sequence[RawEvent] | None]:
        """What `Broker.listen` gives."""
        while True:
            yield await self._take()

    async def _take(self) -> Sequence[RawEvent] | None:
        """All that waits, as one batch; None when events were dropped, or after silence."""
        while not self._waiting and not self._look:
            self._woken = self._loop.create_future()
            try:
                await self._woken
            finally:
                self._woken = None
        self._last = self._loop.time()
        if self._look:
            self._look = False
            return None
        events, self._waiting = self._waiting, []
        return events

    def stop(self) -> None:
        """Nobody reads any more."""
        self._timer.cancel()

    def _wake(self) -> None:
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    def _silence(self) -> None:
        now = self._loop.time()
        due = self._last + self._longest_silence
        if due <= now:
            due = now + self._longest_silence
            self.look()
        self._timer = self._loop.call_at(due, self._silence)
