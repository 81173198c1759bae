"""A broker that does everything that the port allows: it loses, doubles and delays messages."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from random import Random

from runstead.broker.inprocess import InProcessBroker
from runstead.broker.port import Offer
from runstead.wire.event import RawEvent

__all__ = ["LossyBroker"]


class LossyBroker:
    """Faults are random, the same for the same seed. `loss` is the part of the messages that is lost."""

    def __init__(self, seed: int, *, loss: float = 0.25, silence: float = 0.01) -> None:
        self._inner = InProcessBroker(silence=silence)
        self._random = Random(seed)
        self._loss = loss
        self._late: list[tuple[str, Sequence[RawEvent]]] = []

    @property
    def connected(self) -> bool:
        return self._inner.connected

    async def start(self) -> None:
        await self._inner.start()

    async def stop(self) -> None:
        await self._inner.stop()

    async def offer(self, run_id: str) -> None:
        for _ in range(self._copies()):
            await self._inner.offer(run_id)

    def offers(self) -> AbstractAsyncContextManager[AsyncIterator[Offer]]:
        return self._inner.offers()

    async def publish(self, run_id: str, events: Sequence[RawEvent]) -> None:
        for _ in range(self._copies()):
            if self._random.random() < 0.2:
                self._late.append((run_id, events))
            else:
                await self._inner.publish(run_id, events)
        if self._random.random() < 0.3:
            self._random.shuffle(self._late)
            while self._late:
                await self._inner.publish(*self._late.pop())

    def subscribe(self, run_id: str) -> AbstractAsyncContextManager[AsyncIterator[Sequence[RawEvent] | None]]:
        return self._inner.subscribe(run_id)

    async def interrupt(self, run_id: str) -> None:
        for _ in range(self._copies()):
            await self._inner.interrupt(run_id)

    def interrupts(self) -> AbstractAsyncContextManager[AsyncIterator[str]]:
        return self._inner.interrupts()

    def _copies(self) -> int:
        """How often a message is delivered: not at all, once or twice."""
        chance = self._random.random()
        return 0 if chance < self._loss else 2 if chance > 0.85 else 1
