"""A minimal HTTP/1.1 server for the fakes, whose cost must be negligible: it answers with prepared bytes."""

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import cast

import uvloop

HOST = "127.0.0.1"
JSON = b"application/json"
EVENTS = b"text/event-stream; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    method: bytes
    path: bytes
    body: bytes


class Exchange(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, answer: Callable[[Request, "Exchange"], None]) -> None:
        self._answer = answer
        self._buffer = bytearray()
        self._pieces: Iterator[bytes] | None = None
        self._full = False
        self._pause = 0.0
        self._next: asyncio.Handle | None = None
        self.open = True

    def send(self, pieces: Iterable[bytes], pause: float = 0) -> None:
        """Write the pieces one by one, with a pause in between, or a turn of the event loop if it is 0."""
        self._pieces, self._pause = iter(pieces), pause
        if self._next is not None:  # the end of the previous response
            self._next.cancel()
        self._write_next()

    def _write_next(self) -> None:
        if self._pieces is None or self._full or not self.open:
            return
        piece = next(self._pieces, None)
        if piece is None:
            self._pieces = None
            return
        self._transport.write(piece)
        self._next = asyncio.get_running_loop().call_later(self._pause, self._write_next)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, _: Exception | None) -> None:
        self.open = False

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._write_next()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._buffer[:end])
        _, _, length = head.lower().partition(b"content-length:")
        whole = end + 4 + int(length.split(b"\r\n", 1)[0] or 0)
        if len(self._buffer) < whole:
            return
        method, path, _ = head.split(b" ", 2)
        request = Request(method, path, bytes(self._buffer[end + 4 : whole]))
        del self._buffer[:whole]
        self._answer(request, self)


def whole(body: bytes, kind: bytes = JSON) -> bytes:
    """A response of known length."""
    return b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\ncontent-length: %d\r\n\r\n%b" % (kind, len(body), body)


def as_json(body: object) -> bytes:
    return whole(json.dumps(body).encode())


def chunked_head(kind: bytes = EVENTS) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\ntransfer-encoding: chunked\r\n\r\n" % kind


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST_CHUNK = b"0\r\n\r\n"


def serve(answer: Callable[[Request, Exchange], None]) -> None:
    """Serve on a free port, printed on the first line, until terminated."""
    uvloop.run(_serve(answer))


async def _serve(answer: Callable[[Request, Exchange], None]) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Exchange(answer), HOST, 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
