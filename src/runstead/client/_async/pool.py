"""The connection pool: keep-alive connections to one server."""

from collections.abc import AsyncIterable, Callable
from typing import cast

import httpcore2

from runstead.client.http.connections import AsyncConnected

__all__ = ["AsyncPool", "AsyncReply"]

MAX_IDLE = 100


class AsyncReply:
    """A response. Its connection returns to the pool when the response is closed."""

    def __init__(self, pool: "AsyncPool", connected: AsyncConnected, response: httpcore2.Response) -> None:
        self._pool = pool
        self._connected = connected
        self._response = response
        self.status = response.status
        self.headers = response.headers

    async def read(self, limit: int) -> bytes:
        """The whole body, or the beginning of a body that is longer than `limit` bytes: more than `limit` of it."""
        body = bytearray()  # a list of tiny chunks would take forty times their size
        async for chunk in self.chunks:
            body += chunk
            if len(body) > limit:
                break
        return bytes(body)

    @property
    def chunks(self) -> AsyncIterable[bytes]:
        """The body in pieces as they arrive. It can be read once."""
        return cast("AsyncIterable[bytes]", self._response.stream)

    def wait_until(self, moment: float | None) -> None:
        """Set the deadline of all reads, on the monotonic clock. None removes it."""
        self._connected.limits.until = moment

    async def aclose(self) -> None:
        """Release the connection. It is closed if the response was not read to its end."""
        await self._response.aclose()
        await self._pool.release(self._connected)


class AsyncPool:
    """Connections to one server. An idle one is reused; the number of busy ones is not limited.

    The pool of `httpcore2` scans all its connections at every request. With a thousand open streams that is most of a
    call's cost.
    """

    def __init__(self, connect: Callable[[], AsyncConnected]) -> None:
        self._connect = connect
        self._idle: list[AsyncConnected] = []
        self._busy: set[AsyncConnected] = set()
        self.closed = False

    async def send(
        self, request: httpcore2.Request, until: float | None = None, answer_seconds: float | None = None
    ) -> AsyncReply:
        """Send a request. Returns when the head of the response has arrived.

        `until` is the deadline of the request and its response, on the monotonic clock. With `answer_seconds`, the
        response must be complete that soon after the request was sent.
        """
        connected = await self._acquire()
        connected.limits.begin(until, answer_seconds)
        self._busy.add(connected)
        try:
            response = await connected.connection.handle_async_request(request)
        except BaseException:
            self._busy.discard(connected)
            await connected.connection.aclose()
            raise
        connected.limits.head_complete()
        return AsyncReply(self, connected, response)

    async def release(self, connected: AsyncConnected) -> None:
        """Take back a connection: keep it for the next request, or close it if it cannot be reused."""
        self._busy.discard(connected)
        if self.closed or not connected.connection.is_idle() or len(self._idle) >= MAX_IDLE:
            await connected.connection.aclose()
        else:
            self._idle.append(connected)

    async def aclose(self) -> None:
        """Close every connection, also those in the middle of a response."""
        self.closed = True
        for connected in [*self._idle, *self._busy]:
            await connected.connection.aclose()
        self._idle.clear()
        self._busy.clear()

    async def _acquire(self) -> AsyncConnected:
        """The most recently used idle connection that is still open, else a new one."""
        while True:
            try:
                connected = self._idle.pop()
            except IndexError:  # another thread may have taken the last one
                return self._connect()
            if not connected.connection.has_expired():
                return connected
            await connected.connection.aclose()
