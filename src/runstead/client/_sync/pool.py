# Generated from src/runstead/client/_async/pool.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""The connection pool: keep-alive connections to one server."""

from collections.abc import Callable, Iterable
from typing import cast

import httpcore2

__all__ = ["Pool", "Reply"]

MAX_IDLE = 100


class Reply:
    """A response. Its connection returns to the pool when the response is closed."""

    def __init__(self, pool: "Pool", connection: httpcore2.ConnectionInterface, response: httpcore2.Response) -> None:
        self._pool = pool
        self._connection = connection
        self._response = response
        self.status = response.status
        self.headers = response.headers

    def read(self) -> bytes:
        """The whole body."""
        return self._response.read()

    @property
    def chunks(self) -> Iterable[bytes]:
        """The body in pieces as they arrive. It can be read once."""
        return cast("Iterable[bytes]", self._response.stream)

    def wait_until(self, moment: float | None) -> None:
        """Set the deadline of all reads, on the monotonic clock. None removes it."""
        self._response.extensions["network_stream"].until = moment

    def close(self) -> None:
        """Release the connection. It is closed if the response was not read to its end."""
        self._response.close()
        self._pool.release(self._connection)


class Pool:
    """Connections to one server. An idle one is reused; the number of busy ones is not limited.

    The pool of `httpcore2` scans all its connections at every request. With a thousand open streams that is most of a
    call's cost.
    """

    def __init__(self, connect: Callable[[], httpcore2.ConnectionInterface]) -> None:
        self._connect = connect
        self._idle: list[httpcore2.ConnectionInterface] = []
        self._busy: set[httpcore2.ConnectionInterface] = set()
        self.closed = False

    def send(self, request: httpcore2.Request) -> Reply:
        """Send a request. Returns when the head of the response has arrived."""
        connection = self._acquire()
        self._busy.add(connection)
        try:
            response = connection.handle_request(request)
        except BaseException:
            self._busy.discard(connection)
            connection.close()
            raise
        return Reply(self, connection, response)

    def release(self, connection: httpcore2.ConnectionInterface) -> None:
        """Take back a connection: keep it for the next request, or close it if it cannot be reused."""
        self._busy.discard(connection)
        if self.closed or not connection.is_idle() or len(self._idle) >= MAX_IDLE:
            connection.close()
        else:
            self._idle.append(connection)

    def close(self) -> None:
        """Close every connection, also those in the middle of a response."""
        self.closed = True
        for connection in [*self._idle, *self._busy]:
            connection.close()
        self._idle.clear()
        self._busy.clear()

    def _acquire(self) -> httpcore2.ConnectionInterface:
        """The most recently used idle connection that is still open, else a new one."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread may have taken the last one
                return self._connect()
            if not connection.has_expired():
                return connection
            connection.close()
