"""The broker of one process: queues, and for each run the deltas of its open message."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from runstead.wire.event import RawEvent

__all__ = ["InProcessBroker"]

_SILENCE = 5.0
"""Seconds after which a waiting listener is told to look in the store."""
_BACKLOG = 20_000
"""Events that wait for one listener; a slower one loses them and reads the store again."""


class _Listener:
    """One reader of one run. Waiting costs one future; silence is told by one timer for all of its waits."""

    def __init__(self, kept: Sequence[RawEvent], silence: float) -> None:
        self._longest_silence = silence
        self._waiting: list[RawEvent] = list(kept)
        self._look = False
        self._loop = asyncio.get_running_loop()
        self._woken: asyncio.Future[None] | None = None
        self._last = self._loop.time()
        self._timer = self._loop.call_later(silence, self._silence)

    def hear(self, events: Sequence[RawEvent]) -> None:
        if len(self._waiting) + len(events) > _BACKLOG:
            self._waiting.clear()
            self._look = True
        else:
            self._waiting.extend(events)
        self._wake()

    async def take(self) -> Sequence[RawEvent] | None:
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
            if self._woken is not None:
                self._look = True
                self._wake()
        self._timer = self._loop.call_at(due, self._silence)


class _Topic:
    """One run: who listens, and the deltas since its last stored event."""

    __slots__ = ("kept", "listeners")

    def __init__(self) -> None:
        self.kept: list[RawEvent] = []
        self.listeners: set[_Listener] = set()


class InProcessBroker:
    """Loses nothing while the process lives, but promises no more than the port."""

    def __init__(self, *, silence: float = _SILENCE) -> None:
        self._silence = silence
        self._offers: deque[str] = deque()
        self._offered = asyncio.Event()
        self._topics: dict[str, _Topic] = {}
        self._interrupted: set[asyncio.Queue[str]] = set()

    async def offer(self, run_id: str) -> None:
        self._offers.append(run_id)
        self._offered.set()

    @asynccontextmanager
    async def offers(self) -> AsyncIterator[AsyncIterator[str]]:
        yield self._take_offers()

    async def _take_offers(self) -> AsyncIterator[str]:
        while True:
            while self._offers:
                yield self._offers.popleft()
            self._offered.clear()
            await self._offered.wait()

    async def publish(self, run_id: str, events: Sequence[RawEvent]) -> None:
        if not events:
            return
        last = events[-1]
        topic = self._topics.get(run_id)
        if topic is None:
            if not last.at.delta:
                return
            topic = self._topics[run_id] = _Topic()
        if last.at.delta:
            topic.kept.extend(events)
        else:
            topic.kept.clear()
        for listener in topic.listeners:
            listener.hear(events)
        if not topic.kept and not topic.listeners:
            del self._topics[run_id]

    @asynccontextmanager
    async def listen(self, run_id: str) -> AsyncIterator[AsyncIterator[Sequence[RawEvent] | None]]:
        topic = self._topics.setdefault(run_id, _Topic())
        listener = _Listener(topic.kept, self._silence)
        topic.listeners.add(listener)
        try:
            yield _hear(listener)
        finally:
            listener.stop()
            topic.listeners.discard(listener)
            if not topic.kept and not topic.listeners and self._topics.get(run_id) is topic:
                del self._topics[run_id]

    async def interrupt(self, run_id: str) -> None:
        for queue in self._interrupted:
            queue.put_nowait(run_id)

    @asynccontextmanager
    async def interrupts(self) -> AsyncIterator[AsyncIterator[str]]:
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._interrupted.add(queue)
        try:
            yield _take(queue)
        finally:
            self._interrupted.discard(queue)


async def _hear(listener: _Listener) -> AsyncIterator[Sequence[RawEvent] | None]:
    while True:
        yield await listener.take()


async def _take(queue: asyncio.Queue[str]) -> AsyncIterator[str]:
    while True:
        yield await queue.get()
