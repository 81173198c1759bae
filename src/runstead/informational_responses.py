"""Informational responses (1xx) of the servers that are called: a limit, because each of them costs time to read.

A server may send any number of them before its response, and the HTTP library reads them all. The connector stands in
between until the response itself begins, which is within the first read of nearly every response.
"""

import asyncio
import re
from typing import Any, Final

import aiohttp

__all__ = ["MAX_INFORMATIONAL", "Connector"]

MAX_INFORMATIONAL: Final = 100
"""Informational responses before one response."""
_MAX_BYTES = 2**18
"""Bytes of all of them."""
_STATUS = re.compile(rb"(?<![^\r\n])HTTP/1\.[01] +(\d)\d\d")
_LONGEST = 16
"""Bytes of a status line that may have come with the read before."""


class Connector(aiohttp.TCPConnector):
    """Connections that fail when a server sends more than `MAX_INFORMATIONAL` informational responses to a request."""

    async def connect(self, *request: Any, **options: Any) -> aiohttp.connector.Connection:
        connection = await super().connect(*request, **options)
        if (transport := connection.transport) is not None:
            protocol = transport.get_protocol()
            inner = protocol.inner if isinstance(protocol, _Beginning) else protocol
            assert isinstance(inner, asyncio.Protocol)
            transport.set_protocol(_Beginning(transport, inner))
        return connection


class _Beginning(asyncio.Protocol):
    """The protocol of a connection until a response begins: that of the library, `inner`, behind a counter."""

    def __init__(self, transport: asyncio.Transport, inner: asyncio.Protocol) -> None:
        self._transport = transport
        self.inner = inner
        self._seen = b""
        self._count = self._size = 0
        self._failure: OSError | None = None

    def data_received(self, data: bytes) -> None:
        if self._failure is not None:
            return
        if self._begins(data):
            self._transport.set_protocol(self.inner)
        elif self._count > MAX_INFORMATIONAL or self._size > _MAX_BYTES:
            self._failure = OSError(f"it sent more than {MAX_INFORMATIONAL} informational responses")
            self._transport.abort()
            return
        self.inner.data_received(data)

    def _begins(self, data: bytes) -> bool:
        """Whether these bytes have the status line of the response. If not, they are counted."""
        seen = self._seen + data
        for status in _STATUS.finditer(seen):
            if status[1] != b"1":
                return True
            if status.end() > len(self._seen):
                self._count += 1
        self._size += len(data)
        self._seen = seen[-_LONGEST:]
        return False

    def eof_received(self) -> bool | None:
        return self.inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self.inner.connection_lost(self._failure or exc)

    def pause_writing(self) -> None:
        self.inner.pause_writing()

    def resume_writing(self) -> None:
        self.inner.resume_writing()
