"""A client of nats-py, the only module that imports it. It reconnects by itself and brings its subscriptions back."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from nats.aio.client import Client as NatsPy
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as Handle

from runstead.broker.nats.address import Address
from runstead.broker.nats.messages import Handler, Message
from runstead.broker.nats.outbox import Outgoing

__all__ = ["TIMEOUT", "Client", "Subscription"]


TIMEOUT = 2
"""Seconds for the server to answer."""
_RECONNECT_PAUSE = 0.2
"""Seconds between two attempts to connect."""


class Subscription:
    """A subscription to a subject, which is made again on every connection until it is closed.

    `on_active` is called whenever the server has it.
    """

    def __init__(self, subject: str, handler: Handler, on_active: Callable[[], None]) -> None:
        self.subject = subject
        self.handler = handler
        self.on_active = on_active
        self.closed = False
        self.handle: Handle | None = None

    async def receive(self, message: Msg) -> None:
        """Implements a callback of nats-py."""
        headers = message.headers or {}
        self.handler(Message(message.subject, message.data, message.reply, headers.get("Status", ""), headers))


class _Encrypting(NatsPy):
    """Sends its credentials only over TLS. nats-py sends them in clear to a server that offers no encryption."""

    def _connect_command(self) -> bytes:
        if not self._server_info.get("tls_required"):
            raise ConnectionError("The URL says tls://, but the server does not encrypt.")
        return super()._connect_command()


class Client:
    """One client, from its first connection until it is closed or stops reconnecting."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._nats: Any = _Encrypting() if address.encrypted else NatsPy()

    @property
    def connected(self) -> bool:
        return bool(self._nats.is_connected)

    @property
    def closed(self) -> bool:
        """Whether the client is closed, or has stopped reconnecting."""
        return bool(self._nats.is_closed)

    async def connect(
        self,
        *,
        failed: Callable[[Exception], None],
        lost: Callable[[], None],
        reconnected: Callable[[], None],
        closed: Callable[[], None],
    ) -> None:
        """Connect. From then on the callbacks report failures, lost connections, new ones, and the end."""

        async def on_error(error: Exception) -> None:
            failed(error)

        async def on_disconnect() -> None:
            lost()

        async def on_reconnect() -> None:
            reconnected()

        async def on_close() -> None:
            closed()

        address = self._address
        await self._nats.connect(
            list(address.servers),
            user=address.user,
            password=address.password,
            token=address.token,
            name="runstead",
            no_echo=True,  # subscribers of this process are served directly
            connect_timeout=TIMEOUT,
            reconnect_time_wait=_RECONNECT_PAUSE,
            max_reconnect_attempts=-1,
            error_cb=on_error,
            disconnected_cb=on_disconnect,
            reconnected_cb=on_reconnect,
            closed_cb=on_close,
        )

    async def publish(self, message: Outgoing) -> None:
        await self._nats.publish(message.subject, message.data, message.reply, message.headers)

    async def request(self, subject: str, data: bytes) -> bytes:
        """The answer to a request; `TimeoutError` without one."""
        answer: bytes = (await self._nats.request(subject, data, timeout=TIMEOUT)).data
        return answer

    async def subscribe(self, subscription: Subscription) -> None:
        """Make a subscription on the server, unless it exists or is closed."""
        if subscription.handle is None and not subscription.closed:
            subscription.handle = await self._nats.subscribe(subscription.subject, cb=subscription.receive)

    async def flush(self, seconds: float) -> None:
        """Wait until the server has received all that was sent. `TimeoutError` if it does not confirm that in time."""
        await self._nats.flush(int(seconds) or 1)

    async def close(self) -> None:
        """Disconnect, within `TIMEOUT`."""
        with suppress(Exception):
            async with asyncio.timeout(TIMEOUT):
                await self._nats.close()
        self.abort()

    def abort(self) -> None:
        """Abort the socket: data for a server that does not read would wait for ever."""
        writer = getattr(self._nats._transport, "_io_writer", None)  # noqa: SLF001  (nats-py has no way to do it)
        if writer is not None:
            writer.transport.abort()
