"""The broker of many processes, over NATS. It promises no more than the port, and trusts the servers with nothing.

Offers go over a work queue, interrupts and events as plain messages to whoever is subscribed. One subscription serves
all listeners of a run on this node; what is told here is heard here at once, whatever becomes of the servers.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from runstead.broker.listener import SILENCE, Listener
from runstead.broker.nats.address import Address
from runstead.broker.nats.connection import Connection
from runstead.broker.nats.jetstream import JetStream
from runstead.broker.nats.message import Message
from runstead.broker.nats.naming import Naming
from runstead.broker.nats.offers import Offers
from runstead.broker.nats.topic import Topic
from runstead.broker.port import Offer
from runstead.wire.event import RawEvent

__all__ = ["NatsBroker"]

_KEPT = 256 * 1024 * 1024
"""Bytes of open messages that a server keeps; beyond that the oldest deltas are forgotten."""

_AGAIN = (0.02, 0.5)
"""Seconds after which a run of which nothing was heard meanwhile is asked about again: it takes the server a moment to
keep what it was told.
"""
_AWAY = 1.0
"""Seconds between two looks of a reader in the store while no server is there: it hears of no other process."""


class NatsBroker:
    """Over the servers at a URL, which `name` lets it share with others. `replicas` is how many keep each offer."""

    def __init__(
        self, url: str, *, name: str = "runstead", replicas: int = 1, kept_bytes: int = _KEPT, silence: float = SILENCE
    ) -> None:
        self._address = Address.parse(url)
        self._naming = Naming(name)
        self._silence = silence
        self._topics: dict[str, Topic] = {}
        self._interrupted: set[asyncio.Queue[str]] = set()
        self._connection = Connection(self._address)
        self._jetstream = JetStream(self._connection, self._naming, replicas, kept_bytes)
        self._connection.subscribe(self._naming.interrupt, self._interrupted_elsewhere)
        self._looking: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"NatsBroker({self._address!r})"

    @property
    def connected(self) -> bool:
        """Whether other processes hear what is told now."""
        return self._connection.connected

    async def start(self) -> None:
        await self._connection.start(self._jetstream.prepare)
        self._looking = asyncio.get_running_loop().call_later(_AWAY, self._look_while_away)

    async def stop(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
        await self._connection.stop()

    async def offer(self, run_id: str) -> None:
        self._jetstream.offer(run_id)

    @asynccontextmanager
    async def offers(self) -> AsyncIterator[AsyncIterator[Offer]]:
        offers = Offers(self._connection, self._naming)
        try:
            yield offers.take()
        finally:
            offers.close()

    async def publish(self, run_id: str, events: Sequence[RawEvent]) -> None:
        if not events:
            return
        topic = self._topics.get(run_id)
        if topic is not None:
            topic.hear(events)
        self._connection.tell(self._naming.event(run_id), events)

    @asynccontextmanager
    async def subscribe(self, run_id: str) -> AsyncIterator[AsyncIterator[Sequence[RawEvent] | None]]:
        topic = self._topics.get(run_id) or self._follow(run_id)
        listener = Listener(topic.kept, self._silence)
        topic.listeners.add(listener)
        try:
            yield listener.listen()
        finally:
            listener.stop()
            topic.listeners.discard(listener)
            if not topic.listeners and self._topics.get(run_id) is topic:
                del self._topics[run_id]
                topic.leave()

    async def interrupt(self, run_id: str) -> None:
        self._interrupt(run_id)
        self._connection.say(self._naming.interrupt, run_id.encode())

    @asynccontextmanager
    async def interrupts(self) -> AsyncIterator[AsyncIterator[str]]:
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._interrupted.add(queue)
        try:
            yield _take(queue)
        finally:
            self._interrupted.discard(queue)

    def _interrupted_elsewhere(self, message: Message) -> None:
        run_id = self._naming.read(message.data)
        if run_id is not None:
            self._interrupt(run_id)

    def _interrupt(self, run_id: str) -> None:
        for queue in self._interrupted:
            queue.put_nowait(run_id)

    def _look_while_away(self) -> None:
        if not self.connected:
            for topic in self._topics.values():
                for listener in topic.listeners:
                    listener.look()
        self._looking = asyncio.get_running_loop().call_later(_AWAY, self._look_while_away)

    def _follow(self, run_id: str) -> Topic:
        subject = self._naming.event(run_id)
        topic = self._topics[run_id] = Topic(lambda: self._recall(topic, subject))
        subscription = self._connection.subscribe(subject, lambda message: topic.receive(message.data), topic.begin)
        topic.leave = lambda: self._connection.close(subscription)
        return topic

    def _recall(self, topic: Topic, subject: str) -> None:
        async def recall() -> None:
            past: Sequence[RawEvent] = ()
            try:
                past = await self._jetstream.past(subject)
            finally:
                topic.join(past)
            for pause in _AGAIN:
                last = topic.last
                await asyncio.sleep(pause)
                if not topic.listeners or not topic.quiet_since(last):
                    return
                topic.join(await self._jetstream.past(subject))

        if not self._connection.run(recall):
            topic.join(())


async def _take(queue: asyncio.Queue[str]) -> AsyncIterator[str]:
    while True:
        yield await queue.get()
