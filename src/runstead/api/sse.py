"""A run's events as the body of a response: events as they happen, pings in silence, and a clean end."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import NoReturn, cast

import msgspec
from starlette.types import Message, Receive, Send

from runstead.api.errors import Headers, as_api_error
from runstead.wire.codec.sse import DONE_FRAME, PING, encode
from runstead.wire.error import Closed
from runstead.wire.event import RawEvent

__all__ = ["EventStream"]

_START: Message = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-cache"),
        (b"x-accel-buffering", b"no"),  # proxies must not buffer
    ],
}
_PATIENCE = 1.0
"""Seconds in which an error is still a JSON response. After that the stream starts, with or without events."""


class EventStream:
    """A response of events. It ends

    - with `done`, after the last event, which may be an error;
    - without `done`, when the server is draining: clients resume the stream elsewhere;
    - at once, when the client disconnects. The run goes on in any case.
    """

    def __init__(
        self,
        batches: AsyncIterator[Sequence[RawEvent]],
        *,
        receive: Receive,
        send: Send,
        draining: asyncio.Event,
        ping_after: float,
        request_id: str,
        headers: Headers = (),
    ) -> None:
        # Every implementation is a generator, which can be closed early.
        self._batches = cast("AsyncGenerator[Sequence[RawEvent]]", batches)
        self._receive = receive
        self._send = send
        self._draining = draining
        self._ping_after = ping_after
        self._request_id = request_id
        self._headers = headers
        self._loop = asyncio.get_running_loop()
        self._tasks = asyncio.TaskGroup()
        self._watchers: list[asyncio.Task[None]] = []
        self._beside: asyncio.Task[None] | None = None
        """Sends what the timer sends, beside the task that waits for events."""
        self._timer = self._loop.call_later(_PATIENCE, self._start_late)
        """Starts the response late, and later sends pings."""
        self._open = self._left = self._writing = False
        self._spoke_at = 0.0
        self._failure: Exception | None = None

    async def run(self) -> None:
        """Send the response. An error before the first event is raised instead."""
        end = b""
        try:
            async with self._tasks:
                end = await self._send_events()
                for watcher in self._watchers:
                    watcher.cancel()
        except* _Ended:
            pass
        finally:
            self._timer.cancel()
        if self._failure is not None:
            raise self._failure
        if not self._left:
            await self._send({"type": "http.response.body", "body": end, "more_body": False})

    async def _send_events(self) -> bytes:
        """Send the events, and the error event if they fail. Returns the end of the body."""
        try:
            async with aclosing(self._batches) as batches:
                async for batch in batches:
                    await self._write(b"".join(map(encode, batch)))
                    del batch  # the next one may come much later
            await self._write(b"")  # there may have been no batch
        except Exception as error:  # noqa: BLE001 (it becomes an error event or an error response)
            return await self._send_error(error)
        return DONE_FRAME

    async def _send_error(self, error: Exception) -> bytes:
        await self._sent_beside()
        if not self._open:
            self._failure = error
            return b""
        if isinstance(error, Closed):
            return b""
        body = msgspec.json.encode(as_api_error(error, self._request_id).body)
        await self._write(b"event: error\ndata: %b\n\n" % body)
        return DONE_FRAME

    async def _start(self) -> None:
        """Start the response. From then on the client may leave, and the server may drain."""
        self._timer.cancel()
        await self._send({**_START, "headers": [*_START["headers"], *self._headers]})
        self._open, self._spoke_at = True, self._loop.time()
        self._timer = self._loop.call_later(self._ping_after, self._ping)
        self._watchers = [self._tasks.create_task(self._watch_client()), self._tasks.create_task(self._watch_server())]

    def _start_late(self) -> None:
        self._beside = self._tasks.create_task(self._start())

    def _ping(self) -> None:
        """Send a ping if nothing was sent for a while, and look again after another while."""
        now = self._loop.time()
        if self._writing:
            self._spoke_at = now
        elif self._spoke_at + self._ping_after <= now:
            self._spoke_at = now
            self._beside = self._tasks.create_task(self._send_data(PING))
        self._timer = self._loop.call_at(self._spoke_at + self._ping_after, self._ping)

    async def _watch_client(self) -> NoReturn:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._left = True
        raise _Ended

    async def _watch_server(self) -> NoReturn:
        await self._draining.wait()
        raise _Ended

    async def _write(self, data: bytes) -> None:
        await self._sent_beside()
        if not self._open:
            await self._start()
        if data:
            await self._send_data(data)

    async def _sent_beside(self) -> None:
        """Wait until the timer's data was sent."""
        if self._beside is not None:
            await self._beside
            self._beside = None

    async def _send_data(self, data: bytes) -> None:
        self._writing = True
        await self._send({"type": "http.response.body", "body": data, "more_body": True})
        self._writing = False
        self._spoke_at = self._loop.time()


class _Ended(Exception):
    """No more events are sent: the client has left, or the server is draining."""
