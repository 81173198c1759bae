"""uvicorn's HTTP protocol with a limit on request heads, and with refusals as errors of the API."""

from typing import Final

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from runstead.wire.error import ApiError, BadRequest

__all__ = ["HEAD_LIMIT", "LimitedHttpProtocol"]

HEAD_LIMIT: Final = 64 * 1024
"""Maximum bytes of a request's head, and of anything else that the parser buffers until it is complete."""

_LINGER = 2.0
"""Seconds for a client to read a refusal. Closing the socket while the client still sends could discard the reply."""


class LimitedHttpProtocol(HttpToolsProtocol):
    """Refuses heads over the limit, and bytes that are not HTTP. After a refusal, no more is read."""

    _buffered = 0  # bytes since the parser's last callback
    _refused = False

    def data_received(self, data: bytes) -> None:
        while data and not self._refused:
            room = HEAD_LIMIT - self._buffered
            piece, data = data[:room], data[room:]
            self._buffered += len(piece)
            super().data_received(piece)
            if self._buffered >= HEAD_LIMIT:
                self._refuse(
                    BadRequest(
                        f"The head of your request is too large. At most {HEAD_LIMIT} bytes are read.", status=431
                    )
                )

    def on_headers_complete(self) -> None:
        self._buffered = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._buffered = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._buffered = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(BadRequest(msg))

    def _refuse(self, error: ApiError) -> None:
        if self._refused:
            return
        self._refused = True
        self._unset_keepalive_if_required()
        if self.transport.is_closing():
            return
        if _disconnect(self.cycle):  # a second reply inside a started one would be read as part of it
            self.transport.close()
            return
        body = msgspec.json.encode(error.body)
        head = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body)
        default = [b"%b: %b\r\n" % header for header in self.server_state.default_headers]
        self.transport.write(b"".join([STATUS_LINE[error.status], *default, head, body]))
        self.transport.write_eof()
        self.loop.call_later(_LINGER, self.transport.close)


def _disconnect(cycle: RequestResponseCycle | None) -> bool:
    """Mark the current request as disconnected; whether its reply had begun."""
    if cycle is None or cycle.response_complete:
        return False
    cycle.disconnected = True
    cycle.message_event.set()
    return cycle.response_started
