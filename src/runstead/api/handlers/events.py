"""Endpoints that are answered with server-sent events."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, cast

from starlette.types import Receive, Scope, Send

from runstead.api.bodies import Bodies
from runstead.api.errors import Headers
from runstead.api.handlers.request import Call, RequestReader
from runstead.api.idempotency import REPLAYED
from runstead.api.middleware import REQUEST_ID
from runstead.api.port import Application, Settings
from runstead.api.sse import EventStream
from runstead.domain.idempotency import Replay
from runstead.interface.operation import Operation
from runstead.interface.streams import StreamCall
from runstead.wire.event import RawEvent

__all__ = ["EventAnswer", "EventsHandler"]


class EventsHandler:
    """Answers requests to one endpoint."""

    def __init__(self, operation: Operation, application: Application, settings: Settings, bodies: Bodies) -> None:
        assert operation.stream is not None
        self._request = RequestReader(operation, application, settings, bodies)
        self._events = EventAnswer(operation.stream, application, settings)

    async def __call__(self, path: Mapping[str, str], scope: Scope, receive: Receive, send: Send) -> None:
        await self._events.send(await self._request.read(path, scope, receive), scope, receive, send)


class EventAnswer:
    """Answers calls of one endpoint with events."""

    def __init__(
        self, stream: Callable[[Mapping[str, str], Any, Any], StreamCall], application: Application, settings: Settings
    ) -> None:
        self._stream = stream
        self._draining = application.draining
        self._ping_after = settings.ping_after

    async def send(self, call: Call, scope: Scope, receive: Receive, send: Send) -> None:
        """Make the call, and send its events until they end or the client leaves."""
        asked = self._stream(call.path, call.query, call.body)
        batches: AsyncIterator[Sequence[RawEvent]] = call.target.stream(asked)
        headers: Headers = ()
        if call.retryable:
            try:
                batches = _prepend(await anext(batches), batches)
            except Replay as repeated:
                batches, headers = call.target.again(repeated, asked), REPLAYED
        await EventStream(
            batches,
            receive=receive,
            send=send,
            draining=self._draining,
            ping_after=self._ping_after,
            request_id=scope[REQUEST_ID],
            headers=headers,
        ).run()


async def _prepend(
    first: Sequence[RawEvent], batches: AsyncIterator[Sequence[RawEvent]]
) -> AsyncGenerator[Sequence[RawEvent]]:
    """All batches, of which the first was read already."""
    async with aclosing(cast("AsyncGenerator[Sequence[RawEvent]]", batches)):
        yield first
        async for batch in batches:
            yield batch
            del batch
