# Generated from src/runstead/client/_async/pool.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""The connection pool: keep-alive connections to one server."""

from collections.abc import Callable, Iterable
from typing import cast

import httpcore2

from runstead.client.http.connections import Connected

__all__ = ["Pool", "Reply"]

MAX_IDLE = 100


class Reply:
    """A response. Its connection returns to the pool when the response is closed."""

    def __init__(self, pool: "Pool", connected: Connected, response: httpcore2.Response) -> None:
        self._pool = pool
        self._connected = connected
        self._response = response
        self.status = response.status
        self.headers = response.headers

    def read(self, limit: int) -> bytes:
        """The whole body, or the beginning of a body that is longer than `limit` bytes: more than `limit` of it."""
        body = bytearray()  # a list of tiny chunks would take forty times their size
        for chunk in self.chunks:
            body += chunk
            if len(body) > limit:
                break
        return bytes(body)

    @property
    def chunks(self) -> Iterable[bytes]:
        """The body in pieces as they arrive. It can be read once."""
        return cast("Iterable[bytes]", self._response.stream)

    def wait_until(self, moment: float | None) -> None:
        """Set the deadline of all reads, on the monotonic clock. None removes it."""
        self._connected.limits.until = moment

    def close(self) -> None:
        """Release the connection. It is closed if the response was not read to its end."""
        self._response.close()
        self._pool.release(self._connected)


class Pool:
    """Connections to one server. An idle one is reused; the number of busy ones is not limited.

    The pool of `httpcore2` scans all its connections at every request. With a thousand open streams that is most of a
    call's cost.
    """

    def __init__(self, connect: Callable[[], Connected]) -> None:
        self._connect = connect
        self._idle: list[Connected] = []
        self._busy: set[Connected] = set()
        self.closed = False

    def send(
        self, request: httpcore2.Request, until: float | None = None, answer_seconds: float | None = None
    ) -> Reply:
        """Send a request. Returns when the head of the response has arrived.

        `until` is the deadline of the request and its response, on the monotonic clock. With `answer_seconds`, the
        response must be complete that soon after the request was sent.
        """
        connected = self._acquire()
        connected.limits.begin(until, answer_seconds)
        self._busy.add(connected)
        try:
            response = connected.connection.handle_request(request)
        except BaseException:
            self._busy.discard(connected)
            connected.connection.close()
            raise
        connected.limits.head_complete()
        return Reply(self, connected, response)

    def release(self, connected: Connected) -> None:
        """Take back a connection: keep it for the next request, or close it if it cannot be reused."""
        self._busy.discard(connected)
        if self.closed or not connected.connection.is_idle() or len(self._idle) >= MAX_IDLE:
            connected.connection.close()
        else:
            self._idle.append(connected)

    def close(self) -> None:
        """Close every connection, also those in the middle of a response."""
        self.closed = True
        for connected in [*self._idle, *self._busy]:
            connected.connection.close()
        self._idle.clear()
        self._busy.clear()

    def _acquire(self) -> Connected:
        """The most recently used idle connection that is still open, else a new one."""
        while True:
            try:
                connected = self._idle.pop()
            except IndexError:  # another thread may have taken the last one
                return self._connect()
            if not connected.connection.has_expired():
                return connected
            connected.connection.close()
