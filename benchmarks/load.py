"""Load generation: keep-alive HTTP/1.1 connections that cost far less than the servers under load.

While the clock runs, responses are only framed. They are parsed afterwards, from `Reply.body`.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from time import perf_counter
from typing import Any, cast

HOST = "127.0.0.1"


class Refused(Exception):
    """The server answered with a status other than 200."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One response with its times."""

    status: int
    sent: float
    first: float
    """When the requested mark was received; without a mark, when the first byte was received."""
    ended: float
    raw: bytes
    head: int
    chunked: bool

    @property
    def body(self) -> bytes:
        return b"".join(self._chunks()) if self.chunked else self.raw[self.head :]

    def json(self) -> Any:
        return json.loads(self.body)

    def _chunks(self) -> Iterator[bytes]:
        at = self.head
        while True:
            line = self.raw.index(b"\r\n", at)
            size = int(self.raw[at:line], 16)
            if size == 0:
                return
            yield self.raw[line + 2 : line + 2 + size]
            at = line + size + 4


class Connection(asyncio.Protocol):
    """A keep-alive connection: one request at a time."""

    def __init__(self) -> None:
        self._lost: Exception | None = None
        self._waiting: asyncio.Future[Reply] | None = None
        self.marked = asyncio.Event()
        """The mark of the last request was received."""

    async def get(self, path: str, mark: bytes = b"") -> Reply:
        return await self._exchange(_request("GET", path, b""), mark)

    async def post(self, path: str, body: object = None, mark: bytes = b"") -> Reply:
        """Send `body` (bytes unchanged, anything else as JSON); record when `mark` is first received."""
        payload = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        return await self._exchange(_request("POST", path, payload), mark)

    def close(self) -> None:
        self._transport.close()

    async def _exchange(self, request: bytes, mark: bytes) -> Reply:
        if self._lost:
            raise self._lost
        self._buffer = bytearray()
        self._mark = mark
        self._first = 0.0
        self.marked.clear()
        self._head = 0
        self._waiting = asyncio.get_running_loop().create_future()
        self._sent = perf_counter()
        self._transport.write(request)
        reply = await self._waiting
        if reply.status != 200:
            raise Refused(f"{reply.status} for {request[:60]!r}: {reply.body[:400]!r}")
        return reply

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._first and self._mark in self._buffer:
            self._first = perf_counter()
            self.marked.set()
        if not self._head and not self._read_head():
            return
        if self._whole() and self._waiting:
            waiting, self._waiting = self._waiting, None
            waiting.set_result(self._reply())

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = exc or ConnectionError("the server closed the connection")
        if self._waiting and not self._waiting.done():
            self._waiting.set_exception(self._lost)

    def _read_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        self._head = self._at = end + 4
        head = bytes(self._buffer[:end]).lower()
        self._status = int(head[9:12])
        self._chunked = b"transfer-encoding: chunked" in head
        if not self._chunked:
            self._at += int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        return True

    def _whole(self) -> bool:
        """Whether the response is complete. Continues at the chunks received since the last call."""
        if not self._chunked:
            return len(self._buffer) >= self._at
        while (line := self._buffer.find(b"\r\n", self._at)) >= 0:
            size = int(self._buffer[self._at : line], 16)
            after = line + size + 4
            if len(self._buffer) < after:
                return False
            if size == 0:
                return True
            self._at = after
        return False

    def _reply(self) -> Reply:
        now = perf_counter()
        raw = bytes(self._buffer)
        return Reply(self._status, self._sent, self._first or now, now, raw, self._head, self._chunked)


def _request(method: str, path: str, body: bytes) -> bytes:
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer none\r\nOpenAI-Beta: assistants=v2\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def connect(port: int) -> Connection:
    _, connection = await asyncio.get_running_loop().create_connection(Connection, HOST, port)
    return connection


@asynccontextmanager
async def connections(ports: int | Sequence[int], count: int) -> AsyncIterator[list[Connection]]:
    """`count` open connections, distributed over the ports, closed at the end."""
    each = [ports] if isinstance(ports, int) else ports
    opened = [await connect(port) for port in islice(cycle(each), count)]
    try:
        yield opened
    finally:
        for connection in opened:
            connection.close()
