"""uvicorn's HTTP protocol with limits on what a connection may send, hold and wait for. Refusals are API errors."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from runstead.wire.error import ApiError, BadRequest

__all__ = ["HEAD_LIMIT", "IDLE", "LimitedHttpProtocol", "close_expired"]

HEAD_LIMIT: Final = 64 * 1024
"""Maximum bytes of a request's head, and of anything else that the parser buffers until it is complete."""
IDLE: Final = 75.0
"""Seconds without a request after which a connection is closed."""
_HEAD_TIMEOUT = 30.0
"""Seconds in which a head must arrive."""
_BODY_TIMEOUT = 30.0
"""Seconds in which a body must arrive, and one more for each `_BODY_RATE` bytes that did."""
_BODY_RATE = 16 * 1024
_UNREAD_TIMEOUT = 300.0
"""Seconds after which a client that reads nothing of its reply is cut off."""
_MAX_PIPELINED = 16
"""Requests that a connection may send ahead."""
_MAX_AHEAD = 64 * 1024
"""Bytes of a body that a connection may send ahead."""
_LINGER = 2.0
"""Seconds for a client to read a refusal. Closing the socket while the client still sends could discard the reply."""


class LimitedHttpProtocol(HttpToolsProtocol):
    """Refuses heads over the limit, bytes that are not HTTP, and what does not arrive in time. After a refusal, no more
    is read.
    """

    allowed_origins: frozenset[bytes] = frozenset()
    """Origins whose pages may read refusals."""

    _buffered = 0  # bytes since the parser's last callback
    _refused = False
    _running: RequestResponseCycle | None = None  # the request that is being answered; others wait behind it
    _waiting_since = 0.0  # when the connection was opened, or its last reply ended
    _head_since: float | None = None  # when a head began that is not complete
    _body_since: float | None = None  # when a body began that is not complete
    _body_size = 0
    unread_size = 0
    """Bytes of replies that wait for the client."""
    unread_since = 0.0
    """The last time at which the client had read some of them."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._body = bytearray()  # what was parsed of a body and not passed on
        self._waiting_since = self.loop.time()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._disconnect()

    def data_received(self, data: bytes) -> None:
        while data and not self._refused:
            room = HEAD_LIMIT - self._buffered
            piece, data = data[:room], data[room:]
            self._buffered += len(piece)
            super().data_received(piece)
            self._pass_body_on()
            if self._buffered >= HEAD_LIMIT:
                self._refuse(
                    BadRequest(
                        f"The head of your request is too large. At most {HEAD_LIMIT} bytes are read.", status=431
                    )
                )

    def on_message_begin(self) -> None:
        self._head_since = self.loop.time()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._buffered = self._body_size = 0
        self._head_since, self._body_since = None, self.loop.time()
        super().on_headers_complete()
        if len(self.pipeline) > _MAX_PIPELINED:
            self.cut()

    def on_body(self, body: bytes) -> None:
        # A client may send chunks of one byte, so as little as possible is done for each.
        self._buffered = 0
        self._body += body

    def on_message_complete(self) -> None:
        self._pass_body_on()
        self._buffered = 0
        self._body_since = None
        super().on_message_complete()

    def _pass_body_on(self) -> None:
        """Give the request the part of its body that was parsed."""
        if not self._body or self._refused:
            return
        self._body_size += len(self._body)
        super().on_body(bytes(self._body))
        self._body.clear()
        if self.cycle is not self._running and len(self.cycle.body) > _MAX_AHEAD:
            self.cut()

    def on_response_complete(self) -> None:
        self._waiting_since = self.loop.time()
        super().on_response_complete()

    def _unsupported_upgrade_warning(self) -> None:
        """Log nothing: a request for another protocol is answered as any other, and any client can send many."""

    def send_400_response(self, msg: str) -> None:
        self._refuse(BadRequest(msg))

    def close_if_expired(self, now: float) -> None:
        """Close the connection if its client sends or reads too slowly, or not at all."""
        if self._is_unread(now):
            self.cut()
        elif self._head_since is not None and now - self._head_since > _HEAD_TIMEOUT:
            self._refuse(BadRequest("The head of your request did not arrive in time.", status=408))
        elif self._is_late(now):
            self._refuse(BadRequest("The body of your request did not arrive in time.", status=408))
        elif self._is_idle and now - self._waiting_since > IDLE:
            self.transport.close()

    def cut(self) -> None:
        """Close the connection at once: the client reads nothing, or has sent too much ahead."""
        self._refused = True
        self._disconnect()
        self.transport.abort()

    @property
    def _is_idle(self) -> bool:
        return not any(True for _ in self._open_cycles())

    def _is_late(self, now: float) -> bool:
        if self._body_since is None:
            return False
        if self.flow.read_paused:  # the server is not reading: the time starts when it does
            self._body_since = now
        return now - self._body_since > _BODY_TIMEOUT + self._body_size / _BODY_RATE

    def _is_unread(self, now: float) -> bool:
        size = self.transport.get_write_buffer_size()
        if self.unread_size == 0 or size < self.unread_size:
            self.unread_since = now
        self.unread_size = size
        return size > 0 and now - self.unread_since > _UNREAD_TIMEOUT

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _open_cycles(self) -> Iterator[RequestResponseCycle]:
        """The requests whose replies have not ended."""
        cycles = (self._running, *(cycle for cycle, _ in self.pipeline))
        return (cycle for cycle in cycles if cycle is not None and not cycle.response_complete)

    def _refuse(self, error: ApiError) -> None:
        if self._refused:
            return
        self._refused = True
        self._unset_keepalive_if_required()
        if self.transport.is_closing():
            return
        if self._disconnect():  # a second reply inside a started one would be read as part of it
            self.transport.close()
            return
        body = msgspec.json.encode(error.body)
        head = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body)
        default = [b"%b: %b\r\n" % header for header in self.server_state.default_headers]
        self.transport.write(b"".join([STATUS_LINE[error.status], *default, self._cors(), head, body]))
        if self.transport.can_write_eof():  # TLS cannot
            self.transport.write_eof()
        self.loop.call_later(_LINGER, self.transport.close)

    def _cors(self) -> bytes:
        """The headers that let the page of an allowed origin read a refusal.

        Where the request's origin was not read, it is taken for the only allowed one: a browser compares it.
        """
        origins = self.allowed_origins
        sent = next((value for name, value in self.headers or () if name == b"origin"), None)
        origin = next(iter(origins)) if sent is None and len(origins) == 1 else sent
        return b"access-control-allow-origin: %b\r\nvary: Origin\r\n" % origin if origin in origins else b""

    def _disconnect(self) -> bool:
        """Mark all requests as disconnected; whether a reply had begun."""
        begun = False
        for cycle in list(self._open_cycles()):
            cycle.disconnected = True
            cycle.message_event.set()
            begun = begun or cycle.response_started
        self.pipeline.clear()
        return begun


def close_expired(connections: Iterable[object], now: float) -> None:
    """Close those connections whose clients send or read too slowly, or not at all."""
    for connection in list(connections):
        if isinstance(connection, LimitedHttpProtocol):
            connection.close_if_expired(now)
