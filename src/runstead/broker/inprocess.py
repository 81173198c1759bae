"""The broker of one process: queues, and for each run the deltas of its open message."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from runstead.broker.backlog import Backlog
from runstead.broker.kept_deltas import KeptDeltas
from runstead.broker.port import Offer
from runstead.broker.subscriber import SILENCE, Subscriber
from runstead.wire.event import RawEvent

__all__ = ["InProcessBroker"]

_MAX_OFFERS = 10_000
"""Offers that wait for a worker of this process. The oldest are dropped: workers find those runs when they poll."""


class _Topic:
    """One run: its subscribers, and the deltas since its last stored event."""

    __slots__ = ("kept", "subscribers")

    def __init__(self) -> None:
        self.kept = KeptDeltas()
        self.subscribers: set[Subscriber] = set()


class InProcessBroker:
    """Loses no event while the process runs, but promises no more than the port."""

    def __init__(self, *, silence: float = SILENCE, backlog: Backlog | None = None) -> None:
        self._silence = silence
        self._backlog = backlog or Backlog()
        self._offers: deque[str] = deque(maxlen=_MAX_OFFERS)
        self._offered = asyncio.Event()
        self._topics: dict[str, _Topic] = {}
        self._interrupted: set[asyncio.Queue[str]] = set()

    def __repr__(self) -> str:
        return "InProcessBroker()"

    @property
    def connected(self) -> bool:
        return True

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    async def offer(self, run_id: str) -> None:
        self._offers.append(run_id)
        self._offered.set()

    @asynccontextmanager
    async def offers(self) -> AsyncIterator[AsyncIterator[Offer]]:
        yield self._next_offers()

    async def _next_offers(self) -> AsyncIterator[Offer]:
        while True:
            while self._offers:
                yield Offer(self._offers.popleft(), _ack)
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
        for subscriber in topic.subscribers:
            subscriber.receive(events)
        if not topic.kept and not topic.subscribers:
            del self._topics[run_id]

    @asynccontextmanager
    async def subscribe(self, run_id: str) -> AsyncIterator[AsyncIterator[Sequence[RawEvent] | None]]:
        topic = self._topics.setdefault(run_id, _Topic())
        subscriber = Subscriber(self._silence, topic.kept, self._backlog)
        topic.subscribers.add(subscriber)
        try:
            yield subscriber.batches()
        finally:
            subscriber.stop()
            topic.subscribers.discard(subscriber)
            if not topic.kept and not topic.subscribers and self._topics.get(run_id) is topic:
                del self._topics[run_id]

    async def interrupt(self, run_id: str) -> None:
        for queue in self._interrupted:
            queue.put_nowait(run_id)

    @asynccontextmanager
    async def interrupts(self) -> AsyncIterator[AsyncIterator[str]]:
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._interrupted.add(queue)
        try:
            yield _items(queue)
        finally:
            self._interrupted.discard(queue)


def _ack() -> None:
    """An offer needs no acknowledgement: no other process could deliver it again."""


async def _items(queue: asyncio.Queue[str]) -> AsyncIterator[str]:
    while True:
        yield await queue.get()
