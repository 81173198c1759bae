"""The one connection of a process to NATS, made again for ever. Everything of nats-py is in this file.

Nobody waits for the server: what is said goes to an outbox, and one task sends it. nats-py reconnects by itself and
brings its subscriptions back; a client that it gave up is replaced by a new one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import count
from secrets import token_hex
from typing import TypeAlias

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as Handle

from runstead.broker.nats.address import Address
from runstead.broker.nats.health import Health
from runstead.broker.nats.message import Hear, Mailbox, Message
from runstead.broker.nats.outbox import Outbox, Said
from runstead.broker.nats.pace import Pace
from runstead.broker.nats.unconfirmed import Unconfirmed
from runstead.wire.event import RawEvent

__all__ = ["Ask", "Connection", "Subscription"]

_PATIENCE = 2
"""Seconds for the server to answer, before we go on without."""
_PULSE = 5.0
"""Seconds between two looks whether the server answers at all, and for its answer."""
_LOOKS = 4
"""How many of them may find no connection, before nats-py is taken to have given up."""
_PAUSE = 0.2
"""Seconds between two tries to connect."""
_SETTLING = 0.5
"""Seconds after a connection in which what must be there is made; then everything goes on without it. And those that
lost the same server come back meanwhile: what was told before they did, they would have to be told again."""


Ask: TypeAlias = Callable[[str, bytes], Awaitable[bytes]]
Prepare: TypeAlias = Callable[[Ask], Awaitable[None]]
Work: TypeAlias = Callable[[], Coroutine[None, None, None]]


class Subscription:
    """A subject that is heard until it is closed, over all connections. `begun` is called whenever it stands."""

    def __init__(self, subject: str, hear: Hear, begun: Callable[[], None]) -> None:
        self.subject = subject
        self.hear = hear
        self.begun = begun
        self.closed = False
        self.handle: Handle | None = None

    async def receive(self, message: Msg) -> None:
        """Implements a callback of nats-py."""
        headers = message.headers or {}
        self.hear(Message(message.subject, message.data, message.reply, headers.get("Status", ""), headers))


class _Encrypting(Client):
    """Tells its secrets to nobody in the clear: nats-py would, to whoever says that he wants no encryption."""

    def _connect_command(self) -> bytes:
        if not self._server_info.get("tls_required"):
            raise ConnectionError("The URL says tls://, but the server does not encrypt.")
        return super()._connect_command()


class _Ended(Exception):
    """The client is of no more use."""


class Connection:
    """To the servers at an address."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._prepare: Prepare | None = None
        self._outbox: Outbox[Subscription | asyncio.Event] = Outbox()
        self._subscriptions: set[Subscription] = set()
        self._inbox = f"_INBOX.{token_hex(11)}"
        self._answers: dict[str, Hear] = {}
        self._numbers = count()
        self._life: asyncio.Task[None] | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._health = Health(address)
        self._unconfirmed = Unconfirmed()
        self._broken = False
        self._unprepared = asyncio.Event()
        self._ending = asyncio.Event()
        self._stopping = False
        self.subscribe(f"{self._inbox}.answers.*", self._answered)

    async def start(self, prepare: Prepare) -> None:
        """Connect; if that takes long, go on trying behind the caller's back.

        `prepare` makes what must be there on the servers, after every connection.
        """
        self._prepare = prepare
        self._life = asyncio.get_running_loop().create_task(self._live(), name="nats")
        if not await _happens(self._health.up, _PATIENCE):
            self._health.unreachable()

    async def stop(self) -> None:
        """Send what waits, if it can be sent within `_PATIENCE`, and end. What is left is lost: it is in the store."""
        if self._life is None:
            return
        connected = self.connected
        if connected:
            sent = asyncio.Event()
            self._outbox.put(sent)
            if not await _happens(sent, _PATIENCE):
                self._health.complain("stopped before everything was told: it does not answer")
        self._health.end()
        self._stopping = True
        self._ending.set()
        await asyncio.wait([self._life], timeout=2 * _PATIENCE if connected else 0)
        while not self._life.done():
            self._life.cancel()  # again, if need be: nats-py swallows it in places
            await asyncio.wait([self._life], timeout=_PATIENCE)

    @property
    def connected(self) -> bool:
        """A server is there."""
        return self._health.up.is_set()

    def say(self, subject: str, data: bytes, reply: str = "") -> bool:
        """Send a message; False when there is no server to send it to."""
        if self.connected:
            self._outbox.put(Said(subject, data, reply))
            return True
        return False

    def tell(self, subject: str, events: Sequence[RawEvent]) -> None:
        """Send events; while there is no server they wait, up to a limit."""
        if not self._outbox.tell(subject, events):
            self._health.complain("events were dropped: NATS is away or too slow")

    def subscribe(self, subject: str, hear: Hear, begun: Callable[[], None] = lambda: None) -> Subscription:
        """Hear a subject. What this process says after this, it says after the subscription stands."""
        subscription = Subscription(subject, hear, begun)
        self._subscriptions.add(subscription)
        self._outbox.put(subscription)
        return subscription

    def close(self, subscription: Subscription) -> None:
        """Hear it no more."""
        subscription.closed = True
        self._subscriptions.discard(subscription)
        self._outbox.put(subscription)

    def run(self, work: Work) -> bool:
        """Do this beside, for as long as the connection lives; False when there is none."""
        if self._tasks is None or not self.connected:
            return False
        self._tasks.create_task(self._guarded(work))
        return True

    @contextmanager
    def mailbox(self) -> Iterator[Mailbox]:
        """Where answers come to, for as long as they are wanted."""
        box = Mailbox(self.inbox("answers"))
        self._answers[box.subject] = box.messages.put_nowait
        try:
            yield box
        finally:
            del self._answers[box.subject]

    def inbox(self, kind: str) -> str:
        """A subject that is ours alone."""
        return f"{self._inbox}.{kind}.{next(self._numbers)}"

    def answer(self, hear: Hear) -> str:
        """A subject for answers that are always wanted."""
        subject = self.inbox("answers")
        self._answers[subject] = hear
        return subject

    def renew(self) -> None:
        """Something that must be there is not: make it again."""
        self._unprepared.set()

    async def _live(self) -> None:
        while not self._stopping:
            client = _Encrypting() if self._address.encrypted else Client()
            self._ending.clear()
            try:
                await self._connect(client)
                await self._serve(client)
            except Exception as error:  # noqa: BLE001  (whatever it is, the next connection may do better)
                self._health.complain(error)
                await asyncio.sleep(_PAUSE)
            finally:
                self._broken = True
                self._health.lost()
                await _leave(client)

    async def _connect(self, client: Client) -> None:
        async def failed(error: Exception) -> None:
            self._health.complain(error)

        async def lost() -> None:
            self._broken = True
            self._health.lost()

        async def found() -> None:
            self._unprepared.set()
            asyncio.get_running_loop().call_later(_SETTLING, self._go_on, client)

        async def closed() -> None:
            self._ending.set()

        address = self._address
        await client.connect(
            list(address.servers),
            user=address.user,
            password=address.password,
            token=address.token,
            name="runstead",
            no_echo=True,  # what is told here is heard here at once
            connect_timeout=_PATIENCE,
            reconnect_time_wait=_PAUSE,  # type: ignore[arg-type]  # it is only slept
            max_reconnect_attempts=-1,
            error_cb=failed,
            disconnected_cb=lost,
            reconnected_cb=found,
            closed_cb=closed,
        )

    async def _serve(self, client: Client) -> None:
        """Until the client is of no more use, or we stop.

        Each task looks by itself whether it has come to that: nats-py swallows cancellations in places.
        """
        for subscription in self._subscriptions:
            subscription.handle = None
        try:
            async with asyncio.TaskGroup() as tasks:
                for subscription in list(self._subscriptions):
                    await _place(client, subscription)
                self._tasks = tasks
                self._unprepared.set()
                for task in (self._keep, self._send, self._check):
                    tasks.create_task(task(client))
                try:
                    await self._ending.wait()
                finally:
                    self._tasks = None
                    self._ending.set()
                raise _Ended
        except* _Ended:
            pass

    async def _keep(self, client: Client) -> None:
        """Have what must be there made whenever it may be missing.

        After a connection everything goes on, even if that fails, or takes long because servers have yet to agree on
        their leader: live events need nothing prepared.
        """
        loop = asyncio.get_running_loop()
        first = loop.call_later(_SETTLING, self._go_on, client)
        while not self._ending.is_set():
            await self._unprepared.wait()
            self._unprepared.clear()
            try:
                if self._prepare is not None:
                    await self._prepare(partial(_ask, client))
            except Exception as error:  # noqa: BLE001  (whatever it is, the next try may do better)
                self._health.complain(error)
                loop.call_later(1, self._unprepared.set)
            if not first.cancelled():
                first.cancel()
                self._go_on(client)

    def _go_on(self, client: Client) -> None:
        if not client.is_connected or self.connected or self._ending.is_set():
            return
        self._health.found()
        for subscription in list(self._subscriptions):
            if subscription.handle is not None:
                subscription.begun()

    async def _send(self, client: Client) -> None:
        """Send what comes to the outbox."""
        loop = asyncio.get_running_loop()
        pace = Pace(loop.time())
        while not self._ending.is_set():
            await self._outbox.filled.wait()
            await self._health.up.wait()
            waiting = self._outbox.take()
            for each in waiting:
                await self._health.up.wait()  # what nats-py would keep, it would send before all is prepared
                if self._broken:
                    self._broken = False
                    for lost in self._unconfirmed.take():
                        await self._try(client, lost)
                await self._try(client, each)
                if self._ending.is_set():
                    return
            pause = pace.pause(loop.time(), len(waiting))
            if pause:
                await _happens(self._outbox.urgent, pause)

    async def _try(self, client: Client, each: Said | Subscription | asyncio.Event) -> None:
        try:
            await self._do(client, each)
        except Exception as error:  # noqa: BLE001  (what cannot be told is lost)
            self._health.complain(error)

    async def _do(self, client: Client, each: Said | Subscription | asyncio.Event) -> None:
        match each:
            case Said(subject, data, reply, headers, events):
                if events:
                    self._unconfirmed.add(each)
                await client.publish(subject, data, reply, headers)
            case Subscription(closed=True, handle=handle):
                if handle is not None:
                    await handle.unsubscribe()
            case Subscription(handle=None):
                await _place(client, each)
                each.begun()
            case asyncio.Event():
                each.set()

    async def _guarded(self, work: Work) -> None:
        try:
            await work()
        except Exception as error:  # noqa: BLE001  (one that fails ends no other)
            self._health.complain(error)

    async def _check(self, client: Client) -> None:
        """See that the server answers: a frozen one, or a network that swallows everything, closes no connection."""
        away = 0
        while not self._ending.is_set():
            await asyncio.sleep(_PULSE)
            away = 0 if client.is_connected else away + 1
            if client.is_closed or away > _LOOKS:
                self._ending.set()
            elif client.is_connected:
                try:
                    await client.flush(int(_PULSE) or 1)
                    self._unconfirmed.confirmed()
                except Exception as error:  # noqa: BLE001  (whatever it is, this connection does not work)
                    self._health.complain(error)
                    _cut(client)

    def _answered(self, message: Message) -> None:
        hear = self._answers.get(message.subject)
        if hear is not None:
            hear(message)


async def _ask(client: Client, subject: str, data: bytes) -> bytes:
    answer: bytes = (await client.request(subject, data, timeout=_PATIENCE)).data
    return answer


async def _place(client: Client, subscription: Subscription) -> None:
    if subscription.handle is None and not subscription.closed:
        subscription.handle = await client.subscribe(subscription.subject, cb=subscription.receive)


async def _leave(client: Client) -> None:
    with suppress(Exception):
        async with asyncio.timeout(_PATIENCE):
            await client.close()
    _cut(client)


def _cut(client: Client) -> None:
    """End the socket at once: what waits for a server that does not read would wait for ever."""
    writer = getattr(client._transport, "_io_writer", None)  # noqa: SLF001  (nats-py has no way to do it)
    if writer is not None:
        writer.transport.abort()


async def _happens(event: asyncio.Event, within: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            await event.wait()
    return event.is_set()
