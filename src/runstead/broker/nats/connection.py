"""The one connection of a process to NATS, made again for as long as the process lives.

No caller waits for the server: messages go to an outbox, and one task sends them. A client that has given up is
replaced by a new one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from secrets import token_hex
from typing import TypeAlias

from runstead.broker.nats.address import Address
from runstead.broker.nats.client import TIMEOUT, Client, Subscription
from runstead.broker.nats.health import Health
from runstead.broker.nats.messages import Handler, Mailbox, Message
from runstead.broker.nats.outbox import Outbox, Outgoing, Pace, Unconfirmed
from runstead.wire.event import RawEvent

__all__ = ["Connection", "Requests", "Subscription"]

_CHECK_PERIOD = 5.0
"""Seconds between two checks whether the server answers at all, and for its answer."""
_CHECKS = 4
"""How many of them may find no connection, before the client is taken to have given up."""
_PAUSE = 0.2
"""Seconds between two clients."""
_SETTLING = 0.5
"""Seconds after a connection in which streams are prepared; then messages are sent without that. Other processes that
lost the same server reconnect meanwhile: what is published before they have, must be sent to them again.
"""

Requests: TypeAlias = Callable[[str, bytes], Awaitable[bytes]]
"""Sends a request to a subject; its answer."""
Prepare: TypeAlias = Callable[[Requests], Awaitable[None]]
Work: TypeAlias = Callable[[], Coroutine[None, None, None]]
Item: TypeAlias = Outgoing | Subscription | asyncio.Event


class Connection:
    """To the servers at an address."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._prepare: Prepare | None = None
        self._outbox: Outbox[Subscription | asyncio.Event] = Outbox()
        self._unconfirmed = Unconfirmed()
        self._subscriptions: set[Subscription] = set()
        self._inbox = f"_INBOX.{token_hex(11)}"
        self._answers: dict[str, Handler] = {}
        self._numbers = count()
        self._life: asyncio.Task[None] | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._health = Health(address)
        self._broken = False
        self._unprepared = asyncio.Event()
        self._ending = asyncio.Event()
        self._stopping = False
        self.subscribe(f"{self._inbox}.answers.*", self._answered)

    async def start(self, prepare: Prepare) -> None:
        """Connect; if that takes longer than `TIMEOUT`, go on connecting in the background.

        `prepare` makes the streams on the servers, after every connection.
        """
        self._prepare = prepare
        self._life = asyncio.get_running_loop().create_task(self._live(), name="nats")
        if not await _is_set(self._health.up, TIMEOUT):
            self._health.unreachable()

    async def stop(self) -> None:
        """Send what waits, within `TIMEOUT`, and disconnect. What is left is lost: it is in the store."""
        if self._life is None:
            return
        connected = self.connected
        if connected:
            sent = asyncio.Event()
            self._outbox.put(sent)
            if not await _is_set(sent, TIMEOUT):
                self._health.complain("stopped before all messages were sent: the server does not answer")
        self._health.end()
        self._stopping = True
        self._ending.set()
        await asyncio.wait([self._life], timeout=2 * TIMEOUT if connected else 0)
        while not self._life.done():
            self._life.cancel()  # again, if need be: nats-py swallows it in places
            await asyncio.wait([self._life], timeout=TIMEOUT)

    @property
    def connected(self) -> bool:
        """A server is there."""
        return self._health.up.is_set()

    def send(self, subject: str, data: bytes, reply: str = "") -> bool:
        """Send a message; False when there is no server to send it to."""
        if self.connected:
            self._outbox.put(Outgoing(subject, data, reply))
            return True
        return False

    def publish(self, subject: str, events: Sequence[RawEvent]) -> None:
        """Send events. While there is no server they wait, up to a limit."""
        if not self._outbox.publish(subject, events):
            self._health.complain("events were dropped: NATS is away or too slow")

    def subscribe(self, subject: str, handler: Handler, begun: Callable[[], None] = lambda: None) -> Subscription:
        """Subscribe to a subject. What is sent after this leaves after the subscription stands."""
        subscription = Subscription(subject, handler, begun)
        self._subscriptions.add(subscription)
        self._outbox.put(subscription)
        return subscription

    def close(self, subscription: Subscription) -> None:
        """End a subscription."""
        subscription.closed = True
        self._subscriptions.discard(subscription)
        self._outbox.put(subscription)

    def run(self, work: Work) -> bool:
        """Run this in the background, for as long as the client lives; False when there is none."""
        if self._tasks is None or not self.connected:
            return False
        self._tasks.create_task(self._guarded(work))
        return True

    @contextmanager
    def mailbox(self) -> Iterator[Mailbox]:
        """A mailbox for the answers to one request."""
        box = Mailbox(self.inbox("answers"))
        self._answers[box.subject] = box.messages.put_nowait
        try:
            yield box
        finally:
            del self._answers[box.subject]

    def inbox(self, kind: str) -> str:
        """A subject that only this process uses."""
        return f"{self._inbox}.{kind}.{next(self._numbers)}"

    def answers(self, handler: Handler) -> str:
        """A subject for answers that are handled for as long as the connection lives."""
        subject = self.inbox("answers")
        self._answers[subject] = handler
        return subject

    def prepare_again(self) -> None:
        """A stream is missing: prepare all of them again."""
        self._unprepared.set()

    async def _live(self) -> None:
        while not self._stopping:
            client = Client(self._address)
            self._ending.clear()
            try:
                await self._connect(client)
                await self._serve(client)
            except Exception as error:  # noqa: BLE001  (whatever it is, the next client may do better)
                self._health.complain(error)
                await asyncio.sleep(_PAUSE)
            finally:
                self._lost()
                await client.close()

    async def _connect(self, client: Client) -> None:
        def reconnected() -> None:
            self._unprepared.set()
            asyncio.get_running_loop().call_later(_SETTLING, self._go_on, client)

        await client.connect(
            failed=self._health.complain, lost=self._lost, reconnected=reconnected, closed=self._ending.set
        )

    def _lost(self) -> None:
        self._broken = True
        self._health.lost()

    async def _serve(self, client: Client) -> None:
        """Use the client until it has given up, or the connection stops.

        Each task looks by itself whether it must end: nats-py swallows cancellations in places.
        """
        for subscription in self._subscriptions:
            subscription.handle = None
        try:
            async with asyncio.TaskGroup() as tasks:
                for subscription in list(self._subscriptions):
                    await client.subscribe(subscription)
                self._tasks = tasks
                self._unprepared.set()
                for task in (self._keep_prepared, self._send_outbox, self._check):
                    tasks.create_task(task(client))
                try:
                    await self._ending.wait()
                finally:
                    self._tasks = None
                    self._ending.set()
                raise _Ended
        except* _Ended:
            pass

    async def _keep_prepared(self, client: Client) -> None:
        """Prepare the streams whenever one may be missing.

        After a connection messages are sent even if that fails, or takes long because the servers have yet to elect a
        leader: live events need no stream.
        """
        loop = asyncio.get_running_loop()
        first = loop.call_later(_SETTLING, self._go_on, client)
        while not self._ending.is_set():
            await self._unprepared.wait()
            self._unprepared.clear()
            try:
                if self._prepare is not None:
                    await self._prepare(client.request)
            except Exception as error:  # noqa: BLE001  (whatever it is, the next attempt may do better)
                self._health.complain(error)
                loop.call_later(1, self._unprepared.set)
            if not first.cancelled():
                first.cancel()
                self._go_on(client)

    def _go_on(self, client: Client) -> None:
        if not client.connected or self.connected or self._ending.is_set():
            return
        self._health.found()
        for subscription in list(self._subscriptions):
            if subscription.handle is not None:
                subscription.begun()

    async def _send_outbox(self, client: Client) -> None:
        loop = asyncio.get_running_loop()
        pace = Pace(loop.time())
        while not self._ending.is_set():
            await self._outbox.filled.wait()
            await self._health.up.wait()
            waiting = self._outbox.take()
            for item in waiting:
                await self._health.up.wait()  # nats-py would keep it, and send it before the streams are prepared
                if self._broken:
                    self._broken = False
                    for unconfirmed in self._unconfirmed.take():
                        await self._try(client, unconfirmed)
                await self._try(client, item)
                if self._ending.is_set():
                    return
            pause = pace.pause(loop.time(), len(waiting))
            if pause:
                await _is_set(self._outbox.urgent, pause)

    async def _try(self, client: Client, item: Item) -> None:
        try:
            await self._do(client, item)
        except Exception as error:  # noqa: BLE001  (a message that cannot be sent is lost)
            self._health.complain(error)

    async def _do(self, client: Client, item: Item) -> None:
        match item:
            case Outgoing(events=events):
                if events:
                    self._unconfirmed.add(item)
                await client.publish(item)
            case Subscription(closed=True, handle=handle):
                if handle is not None:
                    await handle.unsubscribe()
            case Subscription(handle=None):
                await client.subscribe(item)
                item.begun()
            case asyncio.Event():
                item.set()

    async def _guarded(self, work: Work) -> None:
        try:
            await work()
        except Exception as error:  # noqa: BLE001  (one that fails ends no other)
            self._health.complain(error)

    async def _check(self, client: Client) -> None:
        """Check that the server answers. A frozen server, or a network that drops everything, closes no connection."""
        away = 0
        while not self._ending.is_set():
            await asyncio.sleep(_CHECK_PERIOD)
            away = 0 if client.connected else away + 1
            if client.closed or away > _CHECKS:
                self._ending.set()
            elif client.connected:
                try:
                    await client.flush(_CHECK_PERIOD)
                    self._unconfirmed.confirmed()
                except Exception as error:  # noqa: BLE001  (whatever it is, this connection does not work)
                    self._health.complain(error)
                    client.cut()

    def _answered(self, message: Message) -> None:
        handler = self._answers.get(message.subject)
        if handler is not None:
            handler(message)


class _Ended(Exception):
    """The client is not used any more."""


async def _is_set(event: asyncio.Event, within: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            await event.wait()
    return event.is_set()
