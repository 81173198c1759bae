# Generated from src/runstead/client/_async/pool.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""The connections to one server, kept open between calls."""

from collections.abc import Callable, Iterable
from typing import cast

import httpcore2

__all__ = ["Pool", "Reply"]

MOST_IDLE = 100


class Reply:
    """An answer on its connection, which is given back when the answer is closed."""

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
        """The body as it comes, once."""
        return cast("Iterable[bytes]", self._response.stream)

    def wait_until(self, moment: float | None) -> None:
        """Wait for nothing that comes after this moment (monotonic)."""
        self._response.extensions["network_stream"].until = moment

    def close(self) -> None:
        """Be done with it. A connection whose answer was not read to its end is closed."""
        self._response.close()
        self._pool.give_back(self._connection)


class Pool:
    """Connections to one server: an idle one is used again, and as many are opened as are needed at once.

    (The pool of `httpcore2` looks through all its connections at every request; with a thousand streams open that is
    most of a call's cost.)
    """

    def __init__(self, opened: Callable[[], httpcore2.ConnectionInterface]) -> None:
        self._opened = opened
        self._idle: list[httpcore2.ConnectionInterface] = []
        self._busy: set[httpcore2.ConnectionInterface] = set()
        self.closed = False

    def send(self, request: httpcore2.Request) -> Reply:
        """Send a request, and give the answer as soon as it begins."""
        connection = self._taken()
        self._busy.add(connection)
        try:
            response = connection.handle_request(request)
        except BaseException:
            self._busy.discard(connection)
            connection.close()
            raise
        return Reply(self, connection, response)

    def give_back(self, connection: httpcore2.ConnectionInterface) -> None:
        """Keep a connection for the next request, if it can take one."""
        self._busy.discard(connection)
        if self.closed or not connection.is_idle() or len(self._idle) >= MOST_IDLE:
            connection.close()
        else:
            self._idle.append(connection)

    def close(self) -> None:
        """Close every connection, also in the middle of an answer."""
        self.closed = True
        for connection in [*self._idle, *self._busy]:
            connection.close()
        self._idle.clear()
        self._busy.clear()

    def _taken(self) -> httpcore2.ConnectionInterface:
        """The connection that was used last, if the server has not closed it meanwhile, or a new one."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread may have taken the last one
                return self._opened()
            if not connection.has_expired():
                return connection
            connection.close()
