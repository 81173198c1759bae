"""The connection pool: keep-alive connections to one server."""

from collections.abc import AsyncIterable, Callable
from typing import cast

import httpcore2

__all__ = ["AsyncPool", "AsyncReply"]

MAX_IDLE = 100


class AsyncReply:
    """A response. Its connection returns to the pool when the response is closed."""

    def __init__(
        self, pool: "AsyncPool", connection: httpcore2.AsyncConnectionInterface, response: httpcore2.Response
    ) -> None:
        self._pool = pool
        self._connection = connection
        self._response = response
        self.status = response.status
        self.headers = response.headers

    async def read(self) -> bytes:
        """The whole body."""
        return await self._response.aread()

    @property
    def chunks(self) -> AsyncIterable[bytes]:
        """The body in pieces as they arrive. It can be read once."""
        return cast("AsyncIterable[bytes]", self._response.stream)

    def wait_until(self, moment: float | None) -> None:
        """Set the deadline of all reads, on the monotonic clock. None removes it."""
        self._response.extensions["network_stream"].until = moment

    async def aclose(self) -> None:
        """Release the connection. It is closed if the response was not read to its end."""
        await self._response.aclose()
        await self._pool.release(self._connection)


class AsyncPool:
    """Connections to one server. An idle one is reused; the number of busy ones is not limited.

    The pool of `httpcore2` scans all its connections at every request. With a thousand open streams that is most of a
    call's cost.
    """

    def __init__(self, connect: Callable[[], httpcore2.AsyncConnectionInterface]) -> None:
        self._connect = connect
        self._idle: list[httpcore2.AsyncConnectionInterface] = []
        self._busy: set[httpcore2.AsyncConnectionInterface] = set()
        self.closed = False

    async def send(self, request: httpcore2.Request) -> AsyncReply:
        """Send a request. Returns when the head of the response has arrived."""
        connection = await self._acquire()
        self._busy.add(connection)
        try:
            response = await connection.handle_async_request(request)
        except BaseException:
            self._busy.discard(connection)
            await connection.aclose()
            raise
        return AsyncReply(self, connection, response)

    async def release(self, connection: httpcore2.AsyncConnectionInterface) -> None:
        """Take back a connection: keep it for the next request, or close it if it cannot be reused."""
        self._busy.discard(connection)
        if self.closed or not connection.is_idle() or len(self._idle) >= MAX_IDLE:
            await connection.aclose()
        else:
            self._idle.append(connection)

    async def aclose(self) -> None:
        """Close every connection, also those in the middle of a response."""
        self.closed = True
        for connection in [*self._idle, *self._busy]:
            await connection.aclose()
        self._idle.clear()
        self._busy.clear()

    async def _acquire(self) -> httpcore2.AsyncConnectionInterface:
        """The most recently used idle connection that is still open, else a new one."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread may have taken the last one
                return self._connect()
            if not connection.has_expired():
                return connection
            await connection.aclose()
