"""The asyncio network backend of `httpcore2`: TCP and TLS. It takes a third of the time of the one over `anyio`.

Besides the time-out of each read, a connection has limits for the whole response (`read_limits`).
"""

import asyncio
import select
import ssl
from collections.abc import Iterable
from functools import partial
from typing import Any, Self, cast

import httpcore2

from runstead.client.http.read_limits import ReadLimits

__all__ = ["AsyncConnection", "AsyncNetwork"]

MAX_BUFFER = 256 * 1024
"""Unread bytes after which the connection stops reading from its socket."""

_NAMES = {"client_addr": "sockname", "server_addr": "peername"}


class AsyncNetwork(httpcore2.AsyncNetworkBackend):
    """Opens connections on the running loop, with these limits."""

    def __init__(self, limits: ReadLimits | None = None) -> None:
        self._limits = limits or ReadLimits()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        local = None if local_address is None else (local_address, 0)
        loop = asyncio.get_running_loop()
        # Other loops, such as uvloop's, have no happy eyeballs and reject the argument.
        delay: dict[str, Any] = {"happy_eyeballs_delay": 0.25} if isinstance(loop, asyncio.BaseEventLoop) else {}
        try:
            async with asyncio.timeout(self._limits.left(timeout)):
                _, connection = await loop.create_connection(
                    partial(AsyncConnection, self._limits), host, port, local_addr=local, **delay
                )
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(error) from error
        except OSError as error:
            raise httpcore2.ConnectError(error) from error
        return connection.configured(socket_options or ())


class AsyncConnection(httpcore2.AsyncNetworkStream, asyncio.Protocol):
    """One connection, with the buffer of unread bytes."""

    _transport: asyncio.Transport

    def __init__(self, limits: ReadLimits) -> None:
        self._limits = limits
        self._buffer = bytearray()
        self._reader: asyncio.Future[None] | None = None
        self._paused = False
        self._ended = False
        self._error: Exception | None = None
        self._writer: asyncio.Future[None] | None = None
        """Done when the transport takes more; None while it does."""

    def configured(self, options: Iterable[Any]) -> Self:
        """Itself, with the options set on the socket."""
        for option in options:
            self._transport.get_extra_info("socket").setsockopt(*option)
        return self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # other loops' transports do not derive from it

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) > MAX_BUFFER and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        self._ended = True
        self._wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        self._error = exc
        self._wake()
        self.resume_writing()

    def pause_writing(self) -> None:
        self._writer = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        if self._writer is not None and not self._writer.done():
            self._writer.set_result(None)
        self._writer = None

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        timeout = self._limits.reading(timeout)
        while not self._buffer and not self._ended:
            await self._wait_readable(timeout)
        if self._error is not None and not self._buffer:
            raise httpcore2.ReadError(self._error)
        data = bytes(self._buffer[:max_bytes])
        del self._buffer[:max_bytes]
        if self._paused and not self._ended:
            self._paused = False
            self._transport.resume_reading()
        if self._limits.head_left is not None:
            self._limits.received(len(data))
        if self._buffer:
            await asyncio.sleep(0)  # a flood of tiny chunks would otherwise hold the loop
        return data

    async def _wait_readable(self, timeout: float | None) -> None:
        """Wait for bytes or the end of the connection. `ReadTimeout` if neither arrives in time."""
        loop = asyncio.get_running_loop()
        reader = self._reader = loop.create_future()
        alarm = None if timeout is None else loop.call_later(timeout, _time_out, reader)
        try:
            await reader
        finally:
            self._reader = None
            if alarm is not None:
                alarm.cancel()

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send. The response shows that a request arrived; a slow receiver of an upload delays the next write."""
        if self._writer is not None:
            try:
                async with asyncio.timeout(self._limits.left(timeout)):
                    await asyncio.shield(self._writer)
            except TimeoutError as error:
                raise httpcore2.WriteTimeout("Nothing could be sent in time.") from error
        if self._ended:
            raise httpcore2.WriteError(self._error or "The connection is closed.")
        if buffer:
            self._transport.write(buffer)

    async def aclose(self) -> None:
        self._transport.close()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        left = self._limits.left(timeout)
        if left is not None and left <= 0:
            self._transport.abort()
            raise httpcore2.ConnectTimeout("No time was left for TLS.")
        try:
            secured = await asyncio.get_running_loop().start_tls(
                self._transport, self, ssl_context, server_hostname=server_hostname, ssl_handshake_timeout=left
            )
        except OSError as error:  # ssl.SSLError and TimeoutError too
            self._transport.abort()
            raise httpcore2.ConnectError(error) from error
        assert secured is not None
        self._transport = secured
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return self._ended or bool(self._buffer) or _readable(self._transport.get_extra_info("socket"))
        return self._transport.get_extra_info(_NAMES.get(info, info))


def _time_out(reader: "asyncio.Future[None]") -> None:
    if not reader.done():
        reader.set_exception(httpcore2.ReadTimeout("No data was received in time."))


def _readable(sock: Any) -> bool:
    """The socket has something to read. On an idle connection that is its end."""
    if sock is None or sock.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))
