"""From a request to a call of the interface, and from what that gives to an answer: one handler an endpoint."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.types import Receive, Scope, Send

from runstead.api.beta import require_beta
from runstead.api.body import read_body
from runstead.api.errors import Headers, MethodNotAllowed, invalid_url, send_json
from runstead.api.idempotency import REPLAYED, begun, idempotency_of
from runstead.api.middleware import HEADERS, REQUEST_ID
from runstead.api.port import Application, Project, Settings
from runstead.api.routing import Routes
from runstead.api.sse import EventStream
from runstead.domain.idempotency import Replay
from runstead.wire.codec.request import decode_query, decode_request
from runstead.wire.endpoint import ENDPOINTS, Endpoint
from runstead.wire.error import ServerError
from runstead.wire.event import RawEvent
from runstead.wire.page import EventQuery
from runstead.wire.run import Run
from runstead.wire.struct import Request

__all__ = ["PREFIX", "Dispatch"]

_PROJECT = "default"  # until keys say which
_encode = msgspec.json.Encoder().encode


PREFIX = "/v1"


class Dispatch:
    """Every endpoint of the table, below `/v1`."""

    def __init__(self, application: Application, settings: Settings) -> None:
        self._application = application
        self._routes: Routes[_Handler] = Routes()
        for endpoint in ENDPOINTS.values():
            path = endpoint.path.replace("{model}", "{model:path}")  # models are named with slashes
            self._routes.add(endpoint.method, PREFIX + path, _Handler(endpoint, application, settings))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handlers, arguments = self._routes.find(scope["path"])
        if not handlers:
            raise invalid_url(scope["method"], scope["path"])
        handler = handlers.get(scope["method"])
        if handler is None:
            raise MethodNotAllowed(scope["method"], scope["path"], handlers)
        if not self._application.ready:
            doing = "about to stop" if self._application.draining.is_set() else "starting"
            raise ServerError(f"The server is {doing}. Please try again in a moment.", status=503)
        await handler(arguments, scope, receive, send)


class _Handler:
    """One endpoint, with what its requests need to know of the table worked out beforehand."""

    def __init__(self, endpoint: Endpoint[Any], application: Application, settings: Settings) -> None:
        self._application = application
        self._settings = settings
        self._endpoint = endpoint
        self._name = endpoint.name
        self._body = endpoint.body
        self._writes = endpoint.method == "POST"
        self._streaming = endpoint.streaming or ""
        self._query = endpoint.query
        self._no_query = endpoint.query() if endpoint.query else None
        self._beta = endpoint.beta and settings.require_beta_header
        self._always_streams = endpoint.streaming == endpoint.name
        self._polled = endpoint.reply is Run and endpoint.method == "GET"

    async def __call__(self, path: dict[str, str], scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request whose path held these parameters."""
        if self._beta:
            require_beta(scope["headers"])
        query = self._read_query(self._query, scope) if self._query is not None else None
        request, body = None, b""
        streams = self._always_streams
        if self._body is not None:
            body = await read_body(receive, scope[HEADERS], self._settings.body_limit)
            request = decode_request(self._body, body)
            # Only the body says so: official clients send `Accept: application/json` with streams too.
            streams = getattr(request, "stream", None) is True
        arguments = self._endpoint.arguments(path, query, request)
        project = self._application.project(_PROJECT)
        asked = idempotency_of(scope, scope[HEADERS], body, path.get("thread_id")) if self._writes else None
        if asked is not None:
            project = project.once(asked)
        if not streams:
            await self._reply(project, arguments, send)
        elif asked is None:
            batches = project.stream(self._streaming, **arguments)
            await self._stream(batches, scope, receive, send)
        else:
            batches, repeated = await begun(project, self._streaming, arguments)
            await self._stream(batches, scope, receive, send, REPLAYED if repeated else ())

    def _read_query(self, kind: type[Request], scope: Scope) -> Request | None:
        text: bytes = scope["query_string"]
        query = self._no_query
        if text:
            query = decode_query(kind, parse_qsl(text.decode("latin-1"), keep_blank_values=True))
        if isinstance(query, EventQuery) and (last := scope[HEADERS].get(b"last-event-id")):
            # A browser that reconnects repeats its first URL; the header is newer than the URL's `after`.
            return msgspec.structs.replace(query, after=last.decode("latin-1"))
        return query

    async def _reply(self, project: Project, arguments: dict[str, Any], send: Send) -> None:
        try:
            reply = await getattr(project, self._name)(**arguments)
        except Replay as repeated:
            await send_json(send, repeated.answer, headers=REPLAYED)
            return
        headers = self._poll_hint(reply) if self._polled else ()
        await send_json(send, _encode(reply), headers=headers)

    def _poll_hint(self, run: Run) -> Headers:
        """How soon to look again, for the polling helpers of official clients; without it they wait for seconds."""
        if run.status.pausing:
            return ()
        return ((b"openai-poll-after-ms", b"%d" % self._settings.poll_after_ms),)

    async def _stream(
        self,
        batches: AsyncIterator[Sequence[RawEvent]],
        scope: Scope,
        receive: Receive,
        send: Send,
        headers: Headers = (),
    ) -> None:
        stream = EventStream(
            batches,
            receive=receive,
            send=send,
            draining=self._application.draining,
            ping_after=self._settings.ping_after,
            request_id=scope[REQUEST_ID],
            headers=headers,
        )
        await stream.run()
