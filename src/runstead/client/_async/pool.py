"""The connections to one server, kept open between calls."""

from collections.abc import AsyncIterable, Callable
from typing import cast

import httpcore2

__all__ = ["AsyncPool", "AsyncReply"]

MOST_IDLE = 100


class AsyncReply:
    """An answer on its connection, which is given back when the answer is closed."""

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
        """The body as it comes, once."""
        return cast("AsyncIterable[bytes]", self._response.stream)

    def wait_until(self, moment: float | None) -> None:
        """Wait for nothing that comes after this moment (monotonic)."""
        self._response.extensions["network_stream"].until = moment

    async def aclose(self) -> None:
        """Be done with it. A connection whose answer was not read to its end is closed."""
        await self._response.aclose()
        await self._pool.give_back(self._connection)


class AsyncPool:
    """Connections to one server: an idle one is used again, and as many are opened as are needed at once.

    (The pool of `httpcore2` looks through all its connections at every request; with a thousand streams open that is
    most of a call's cost.)
    """

    def __init__(self, opened: Callable[[], httpcore2.AsyncConnectionInterface]) -> None:
        self._opened = opened
        self._idle: list[httpcore2.AsyncConnectionInterface] = []
        self._busy: set[httpcore2.AsyncConnectionInterface] = set()
        self.closed = False

    async def send(self, request: httpcore2.Request) -> AsyncReply:
        """Send a request, and give the answer as soon as it begins."""
        connection = await self._taken()
        self._busy.add(connection)
        try:
            response = await connection.handle_async_request(request)
        except BaseException:
            self._busy.discard(connection)
            await connection.aclose()
            raise
        return AsyncReply(self, connection, response)

    async def give_back(self, connection: httpcore2.AsyncConnectionInterface) -> None:
        """Keep a connection for the next request, if it can take one."""
        self._busy.discard(connection)
        if self.closed or not connection.is_idle() or len(self._idle) >= MOST_IDLE:
            await connection.aclose()
        else:
            self._idle.append(connection)

    async def aclose(self) -> None:
        """Close every connection, also in the middle of an answer."""
        self.closed = True
        for connection in [*self._idle, *self._busy]:
            await connection.aclose()
        self._idle.clear()
        self._busy.clear()

    async def _taken(self) -> httpcore2.AsyncConnectionInterface:
        """The connection that was used last, if the server has not closed it meanwhile, or a new one."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread may have taken the last one
                return self._opened()
            if not connection.has_expired():
                return connection
            await connection.aclose()
