"""The connection of a process to NATS, which is restored for as long as the process runs.

No caller waits for the server: messages go to an outbox, and one task sends them. A client that has stopped
reconnecting is replaced by a new one.
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
"""Seconds between two checks of whether the server answers, and for its answer."""
_MAX_FAILED_CHECKS = 4
"""Checks in a row without a connection before the client is replaced."""
_CLIENT_PAUSE = 0.2
"""Seconds before a failed client is replaced."""
_SETTLING = 0.5
"""Seconds after connecting in which the streams are prepared. Then messages are sent, prepared or not.

Other processes that lost the same server reconnect meanwhile. Messages sent before they have would be lost to them.
"""

Requests: TypeAlias = Callable[[str, bytes], Awaitable[bytes]]
"""Sends a request to a subject, and returns the answer."""
Prepare: TypeAlias = Callable[[Requests], Awaitable[None]]
Work: TypeAlias = Callable[[], Coroutine[None, None, None]]
Item: TypeAlias = Outgoing | Subscription | asyncio.Event


class Connection:
    """A connection to the servers at an address."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._prepare: Prepare | None = None
        self._outbox: Outbox[Subscription | asyncio.Event] = Outbox()
        self._unconfirmed = Unconfirmed()
        self._subscriptions: set[Subscription] = set()
        self._inbox = f"_INBOX.{token_hex(11)}"
        self._answers: dict[str, Handler] = {}
        self._numbers = count()
        self._main_task: asyncio.Task[None] | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._health = Health(address)
        self._resend = False
        """Whether unconfirmed messages must be sent again."""
        self._streams_missing = asyncio.Event()
        self._client_ended = asyncio.Event()
        self._stopping = False
        self.subscribe(f"{self._inbox}.answers.*", self._receive_answer)

    async def start(self, prepare: Prepare) -> None:
        """Connect. If that takes longer than `TIMEOUT`, connect in the background.

        `prepare` creates the streams on the servers. It is called after each connection is made.
        """
        self._prepare = prepare
        self._main_task = asyncio.get_running_loop().create_task(self._run_clients(), name="nats")
        if not await _is_set(self._health.up, TIMEOUT):
            self._health.unreachable()

    async def stop(self) -> None:
        """Send the waiting messages within `TIMEOUT`, and disconnect. Unsent messages are lost."""
        if self._main_task is None:
            return
        connected = self.connected
        if connected:
            sent = asyncio.Event()
            self._outbox.put(sent)
            if not await _is_set(sent, TIMEOUT):
                self._health.warn("stopped before all messages were sent, because the server does not answer")
        self._health.mute()
        self._stopping = True
        self._client_ended.set()
        await asyncio.wait([self._main_task], timeout=2 * TIMEOUT if connected else 0)
        while not self._main_task.done():
            self._main_task.cancel()  # again if needed: nats-py swallows cancellations in places
            await asyncio.wait([self._main_task], timeout=TIMEOUT)

    @property
    def connected(self) -> bool:
        """Whether there is a connection to a server."""
        return self._health.up.is_set()

    def send(self, subject: str, data: bytes, reply: str = "") -> bool:
        """Send a message. False without a connection to a server."""
        if self.connected:
            self._outbox.put(Outgoing(subject, data, reply))
            return True
        return False

    def publish(self, subject: str, events: Sequence[RawEvent]) -> None:
        """Send events. Without a server they wait, up to a limit."""
        if not self._outbox.publish(subject, events):
            self._health.warn("events were dropped: NATS is away or too slow")

    def subscribe(self, subject: str, handler: Handler, on_active: Callable[[], None] = lambda: None) -> Subscription:
        """Subscribe to a subject. Messages sent after this call are sent after the subscription is active."""
        subscription = Subscription(subject, handler, on_active)
        self._subscriptions.add(subscription)
        if self.connected:  # else it is made when a server is connected
            self._outbox.put(subscription)
        return subscription

    def close(self, subscription: Subscription) -> None:
        """End a subscription."""
        subscription.closed = True
        self._subscriptions.discard(subscription)
        if subscription.handle is not None:
            self._outbox.put(subscription)

    def run(self, work: Work) -> bool:
        """Run `work` in the background until the client ends. False without a connection to a server."""
        if self._tasks is None or not self.connected:
            return False
        self._tasks.create_task(self._run_work(work))
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
        """A subject for answers that are handled until the connection ends."""
        subject = self.inbox("answers")
        self._answers[subject] = handler
        return subject

    def prepare_again(self) -> None:
        """A stream is missing: prepare all of them again."""
        self._streams_missing.set()

    async def _run_clients(self) -> None:
        while not self._stopping:
            client = Client(self._address)
            self._client_ended.clear()
            try:
                await self._connect(client)
                await self._serve(client)
            except Exception as error:  # noqa: BLE001  (whatever it is, the next client may do better)
                self._health.warn(error)
                await asyncio.sleep(_CLIENT_PAUSE)
            finally:
                self._disconnected()
                await client.close()

    async def _connect(self, client: Client) -> None:
        def reconnected() -> None:
            self._streams_missing.set()
            asyncio.get_running_loop().call_later(_SETTLING, self._resume, client)

        await client.connect(
            failed=self._health.warn, lost=self._disconnected, reconnected=reconnected, closed=self._client_ended.set
        )

    def _disconnected(self) -> None:
        self._resend = True
        self._health.disconnected()

    async def _serve(self, client: Client) -> None:
        """Use the client until it ends or the connection stops.

        Each task checks by itself whether it must end, because nats-py swallows cancellations in places.
        """
        for subscription in self._subscriptions:
            subscription.handle = None
        try:
            async with asyncio.TaskGroup() as tasks:
                for subscription in list(self._subscriptions):
                    await client.subscribe(subscription)
                self._tasks = tasks
                self._streams_missing.set()
                for task in (self._keep_prepared, self._send_outbox, self._check):
                    tasks.create_task(task(client))
                try:
                    await self._client_ended.wait()
                finally:
                    self._tasks = None
                    self._client_ended.set()
                raise _Ended
        except* _Ended:
            pass

    async def _keep_prepared(self, client: Client) -> None:
        """Prepare the streams whenever one may be missing.

        Messages are sent even if that fails, or takes long because the servers elect a leader: live events need no
        stream.
        """
        loop = asyncio.get_running_loop()
        first = loop.call_later(_SETTLING, self._resume, client)
        while not self._client_ended.is_set():
            await self._streams_missing.wait()
            self._streams_missing.clear()
            try:
                if self._prepare is not None:
                    await self._prepare(client.request)
            except Exception as error:  # noqa: BLE001  (whatever it is, the next attempt may do better)
                self._health.warn(error)
                loop.call_later(1, self._streams_missing.set)
            if not first.cancelled():
                first.cancel()
                self._resume(client)

    def _resume(self, client: Client) -> None:
        if not client.connected or self.connected or self._client_ended.is_set():
            return
        self._health.connected()
        for subscription in list(self._subscriptions):
            if subscription.handle is None:
                self._outbox.put(subscription)
            else:
                subscription.on_active()

    async def _send_outbox(self, client: Client) -> None:
        loop = asyncio.get_running_loop()
        pace = Pace(loop.time())
        while not self._client_ended.is_set():
            await self._outbox.filled.wait()
            await self._health.up.wait()
            waiting = self._outbox.drain()
            for item in waiting:
                # Without this nats-py would keep the message, and send it before the streams are prepared.
                await self._health.up.wait()
                if self._resend:
                    self._resend = False
                    for unconfirmed in self._unconfirmed.drain():
                        await self._try(client, unconfirmed)
                await self._try(client, item)
                if self._client_ended.is_set():
                    return
            pause = pace.pause(loop.time(), len(waiting))
            if pause:
                await _is_set(self._outbox.urgent, pause)

    async def _try(self, client: Client, item: Item) -> None:
        try:
            await self._do(client, item)
        except Exception as error:  # noqa: BLE001  (a message that cannot be sent is lost)
            self._health.warn(error)

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
                item.on_active()
            case asyncio.Event():
                item.set()

    async def _run_work(self, work: Work) -> None:
        try:
            await work()
        except Exception as error:  # noqa: BLE001  (a failure must not end the other tasks)
            self._health.warn(error)

    async def _check(self, client: Client) -> None:
        """Check that the server answers. A frozen server, or a network that drops everything, closes no connection."""
        failed = 0
        while not self._client_ended.is_set():
            await asyncio.sleep(_CHECK_PERIOD)
            failed = 0 if client.connected else failed + 1
            if client.closed or failed > _MAX_FAILED_CHECKS:
                self._client_ended.set()
            elif client.connected:
                try:
                    await client.flush(_CHECK_PERIOD)
                    self._unconfirmed.confirmed()
                except Exception as error:  # noqa: BLE001  (whatever it is, this connection does not work)
                    self._health.warn(error)
                    client.abort()

    def _receive_answer(self, message: Message) -> None:
        handler = self._answers.get(message.subject)
        if handler is not None:
            handler(message)


class _Ended(Exception):
    """The client was closed."""


async def _is_set(event: asyncio.Event, within: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            await event.wait()
    return event.is_set()
