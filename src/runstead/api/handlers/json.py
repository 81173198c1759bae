"""Endpoints that are answered with a JSON object, or with events where the body asks for them."""

from collections.abc import Mapping
from typing import Any

from starlette.types import Receive, Scope, Send

from runstead.api.bodies import Bodies
from runstead.api.errors import Headers, send_json
from runstead.api.handlers.encoding import encoded
from runstead.api.handlers.events import EventAnswer
from runstead.api.handlers.request import Call, RequestReader
from runstead.api.idempotency import REPLAYED
from runstead.api.port import Application, Settings
from runstead.domain.idempotency import Replay
from runstead.interface.operation import Operation
from runstead.wire.run import Run
from runstead.wire.vector_store import FileBatch, StoreFile, VectorStore

__all__ = ["JsonHandler"]

_POLLED = (Run, VectorStore, StoreFile, FileBatch)
"""Objects that clients read again and again until something about them has ended."""


class JsonHandler:
    """Answers requests to one endpoint."""

    def __init__(self, operation: Operation, application: Application, settings: Settings, bodies: Bodies) -> None:
        endpoint = operation.endpoint
        assert operation.call is not None
        self._request = RequestReader(operation, application, settings, bodies)
        self._call = operation.call
        self._events = EventAnswer(operation.stream, application, settings) if operation.stream is not None else None
        self._polled = endpoint.reply in _POLLED and endpoint.method == "GET"
        self._poll_hint: Headers = ((b"openai-poll-after-ms", b"%d" % settings.poll_after_ms),)

    async def __call__(self, path: Mapping[str, str], scope: Scope, receive: Receive, send: Send) -> None:
        call = await self._request.read(path, scope, receive)
        # Only the body asks for events: official clients send `Accept: application/json` with streams too.
        if self._events is not None and call.body.stream is True:
            await self._events.send(call, scope, receive, send)
        else:
            await self._reply(call, send)

    async def _reply(self, call: Call, send: Send) -> None:
        try:
            reply = await self._call(call.target, call.path, call.query, call.body)
        except Replay as repeated:
            await send_json(send, repeated.answer, headers=REPLAYED)
            return
        # Without this header the polling helpers of official clients wait for seconds.
        headers = self._poll_hint if self._polled and _goes_on(reply) else ()
        await send_json(send, await encoded(reply), headers=headers)


def _goes_on(reply: Any) -> bool:
    return not reply.status.pausing if isinstance(reply, Run) else reply.status == "in_progress"
