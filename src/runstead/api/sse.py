"""A run's events as the body of a response: events as they happen, pings in silence, and a clean end."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, suppress
from typing import Any, cast

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
        self._clock = asyncio.get_running_loop().time
        self._spoke_at = self._clock()
        self._writing = False
        self._cut = False
        self._failure: Exception | None = None
        self._begun = asyncio.Event()
        self._open = asyncio.Event()

    async def run(self) -> None:
        """Send the response. An error before the first event is raised instead."""
        whole = left = False
        async with asyncio.TaskGroup() as group:
            pump = group.create_task(self._pump())
            if await self._opens():
                disconnected = group.create_task(self._disconnected())
                stopping = group.create_task(self._draining.wait())
                ended = await self._watch({pump, disconnected, stopping})
                whole = pump in ended and not self._cut
                left = disconnected in ended
                for task in (pump, disconnected, stopping):
                    task.cancel()
        if self._failure is not None:
            raise self._failure
        if not left:
            await self._send({"type": "http.response.body", "body": DONE_FRAME if whole else b"", "more_body": False})

    async def _opens(self) -> bool:
        """Start the response, unless there is an error first."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await self._begun.wait()
        if self._failure is not None:
            return False
        await self._send({**_START, "headers": [*_START["headers"], *self._headers]})
        self._open.set()
        return True

    async def _pump(self) -> None:
        """Write the events, and the error event if they fail."""
        try:
            async with aclosing(self._batches) as batches:
                async for batch in batches:
                    self._begun.set()
                    await self._open.wait()
                    if batch:
                        await self._write(b"".join(map(encode, batch)))
                    del batch  # the next one may come much later
        except Exception as error:  # noqa: BLE001 (it becomes an error event or an error response)
            await self._fail(error)
        finally:
            self._begun.set()

    async def _fail(self, error: Exception) -> None:
        if not self._open.is_set():
            self._failure = error
        elif isinstance(error, Closed):
            self._cut = True
        else:
            body = msgspec.json.encode(as_api_error(error, self._request_id).body)
            await self._write(b"event: error\ndata: %b\n\n" % body)

    async def _disconnected(self) -> None:
        """Return when the client has disconnected."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _watch(self, tasks: set[asyncio.Task[Any]]) -> set[asyncio.Task[Any]]:
        """The first of the tasks that end. Until then, send a ping whenever nothing was sent for a while."""
        while True:
            silence = 0.0 if self._writing else self._clock() - self._spoke_at
            if silence >= self._ping_after:
                await self._write(PING)
                silence = 0.0
            wait = self._ping_after - silence
            ended, _ = await asyncio.wait(tasks, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
            if ended:
                return ended

    async def _write(self, data: bytes) -> None:
        self._writing = True
        await self._send({"type": "http.response.body", "body": data, "more_body": True})
        self._writing = False
        self._spoke_at = self._clock()
