"""The broker of many processes, over NATS. It promises no more than the port, and needs no server in order to work.

Offers go over a work queue. Interrupts and events are plain messages to the processes that are subscribed. One
subscription serves all subscribers to a run in this process. Events that this process publishes reach its own
subscribers directly, with or without a server.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from runstead.broker.backlog import Backlog
from runstead.broker.nats.address import Address
from runstead.broker.nats.connection import Connection
from runstead.broker.nats.jetstream import JetStream
from runstead.broker.nats.messages import Message
from runstead.broker.nats.offers import Offers
from runstead.broker.nats.run_feed import RunFeed
from runstead.broker.nats.subjects import Subjects
from runstead.broker.port import Offer
from runstead.broker.subscriber import SILENCE, Subscriber
from runstead.wire.event import RawEvent

__all__ = ["NatsBroker"]

_KEPT_BYTES = 256 * 1024 * 1024
"""Bytes of open messages that a server keeps; beyond that it drops the oldest deltas."""

_REQUEST_PAUSES = (0.02, 0.5)
"""Seconds after which the kept deltas are requested again if nothing has arrived since: the server needs a moment to
keep published messages.
"""
_AWAY_PERIOD = 1.0
"""Seconds between two reads of the store by each subscriber while no server is connected."""


class NatsBroker:
    """Uses the servers at `url`. `name` prefixes all subjects and streams. `replicas` servers keep each offer."""

    def __init__(
        self,
        url: str,
        *,
        name: str = "runstead",
        replicas: int = 1,
        kept_bytes: int = _KEPT_BYTES,
        silence: float = SILENCE,
    ) -> None:
        self._address = Address.parse(url)
        self._subjects = Subjects(name)
        self._silence = silence
        self._backlog = Backlog()
        self._feeds: dict[str, RunFeed] = {}
        self._interrupted: set[asyncio.Queue[str]] = set()
        self._connection = Connection(self._address)
        self._jetstream = JetStream(self._connection, self._subjects, replicas, kept_bytes)
        self._connection.subscribe(self._subjects.interrupt, self._receive_interrupt)
        self._timer: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"NatsBroker({self._address!r})"

    @property
    def connected(self) -> bool:
        """Whether a server is connected, so that other processes receive messages."""
        return self._connection.connected

    async def start(self) -> None:
        await self._connection.start(self._jetstream.prepare)
        self._timer = asyncio.get_running_loop().call_later(_AWAY_PERIOD, self._read_store_while_away)

    async def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        await self._connection.stop()

    async def offer(self, run_id: str) -> None:
        self._jetstream.offer(run_id)

    @asynccontextmanager
    async def offers(self) -> AsyncIterator[AsyncIterator[Offer]]:
        offers = Offers(self._connection, self._subjects)
        try:
            yield offers.fetch()
        finally:
            offers.close()

    async def publish(self, run_id: str, events: Sequence[RawEvent]) -> None:
        if not events:
            return
        feed = self._feeds.get(run_id)
        if feed is not None:
            feed.receive(events)
        self._connection.publish(self._subjects.event(run_id), events)

    @asynccontextmanager
    async def subscribe(self, run_id: str) -> AsyncIterator[AsyncIterator[Sequence[RawEvent] | None]]:
        feed = self._feeds.get(run_id) or self._open_feed(run_id)
        subscriber = Subscriber(self._silence, feed.kept, self._backlog)
        feed.subscribers.add(subscriber)
        try:
            yield subscriber.batches()
        finally:
            subscriber.stop()
            feed.subscribers.discard(subscriber)
            if not feed.subscribers and self._feeds.get(run_id) is feed:
                del self._feeds[run_id]
                feed.close()

    async def interrupt(self, run_id: str) -> None:
        self._interrupt(run_id)
        self._connection.send(self._subjects.interrupt, run_id.encode())

    @asynccontextmanager
    async def interrupts(self) -> AsyncIterator[AsyncIterator[str]]:
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._interrupted.add(queue)
        try:
            yield _items(queue)
        finally:
            self._interrupted.discard(queue)

    def _receive_interrupt(self, message: Message) -> None:
        run_id = self._subjects.run_id(message.data)
        if run_id is not None:
            self._interrupt(run_id)

    def _interrupt(self, run_id: str) -> None:
        for queue in self._interrupted:
            queue.put_nowait(run_id)

    def _read_store_while_away(self) -> None:
        if not self.connected:
            for feed in self._feeds.values():
                for subscriber in feed.subscribers:
                    subscriber.read_store()
        self._timer = asyncio.get_running_loop().call_later(_AWAY_PERIOD, self._read_store_while_away)

    def _open_feed(self, run_id: str) -> RunFeed:
        subject = self._subjects.event(run_id)
        feed = self._feeds[run_id] = RunFeed(lambda: self._request_kept(feed, subject))
        subscription = self._connection.subscribe(
            subject, lambda message: feed.receive_message(message.data), feed.catch_up
        )
        feed.close = lambda: self._connection.close(subscription)
        return feed

    def _request_kept(self, feed: RunFeed, subject: str) -> None:
        async def request() -> None:
            kept: Sequence[RawEvent] = ()
            try:
                kept = await self._jetstream.kept_events(subject)
            finally:
                feed.add_kept(kept)
            for pause in _REQUEST_PAUSES:
                last = feed.last
                await asyncio.sleep(pause)
                if not feed.subscribers or not feed.unchanged_since(last):
                    return
                feed.add_kept(await self._jetstream.kept_events(subject))

        if not self._connection.run(request):
            feed.add_kept(())


async def _items(queue: asyncio.Queue[str]) -> AsyncIterator[str]:
    while True:
        yield await queue.get()
