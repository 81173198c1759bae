"""The calls of a client, made to the engine in the same process."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, TypeVar, cast

import msgspec

from runstead.domain.access import require_scope
from runstead.domain.idempotency import IdempotentRequest, Replay, digest, with_key
from runstead.engine.resources.caller import Caller
from runstead.engine.upload import CheckedUpload
from runstead.interface.operation import Operation, Operations
from runstead.interface.operations import OPERATIONS
from runstead.interface.transfer import Upload
from runstead.wire.codec.request import validate
from runstead.wire.codec.response import decode_lenient
from runstead.wire.endpoints.endpoint import NOTHING, Endpoint
from runstead.wire.event import RawEvent
from runstead.wire.file import FileContent
from runstead.wire.struct import Request

__all__ = ["Calls"]

Q = TypeVar("Q", bound=Request)
B = TypeVar("B", bound=Request)
R = TypeVar("R")


class Calls:
    """The calls of one caller, checked as a server checks them. With a key, each is carried out once."""

    def __init__(self, caller: Caller, operations: Operations = OPERATIONS, key: str | None = None) -> None:
        self._caller = caller
        self._operations = operations
        self._key = key

    def once(self, key: str | None) -> "Calls":
        """The same calls with this key."""
        return Calls(self._caller, self._operations, key)

    async def call(self, endpoint: Endpoint[Q, B, R], path: Mapping[str, str], query: Q | None, body: B | None) -> R:
        """The reply, or that of the earlier call with the same key."""
        asked_query, asked_body = _checked(endpoint, query, body)
        target = self._target(endpoint)
        if self._key is not None and endpoint.method == "POST":
            target = target.once(self._asked(endpoint.name, path, asked_query, asked_body))
        operation = self._operations[endpoint.name]
        assert operation.call is not None
        try:
            return cast("R", await operation.call(target, path, asked_query, asked_body))
        except Replay as repeated:
            return _recorded(endpoint, repeated)

    async def upload(
        self, endpoint: Endpoint[Q, B, R], path: Mapping[str, str], query: Q | None, upload: Upload[B]
    ) -> R:
        """As `call`, with a form that the method reads itself."""
        asked_query, _ = _checked(endpoint, query, None)
        target = self._target(endpoint)
        form = CheckedUpload(endpoint, upload, digested=self._key is not None)
        if self._key is not None:
            key = self._key
            with_key(key, b"")  # a bad key is refused before the upload is read
            target = target.once(
                lambda: with_key(key, digest(*_identity(endpoint.name, path, asked_query), form.digest()))
            )
        operation = self._operations[endpoint.name]
        assert operation.call is not None
        try:
            return cast("R", await operation.call(target, path, asked_query, form))
        except Replay as repeated:
            return _recorded(endpoint, repeated)

    async def download(
        self, endpoint: Endpoint[Q, B, FileContent], path: Mapping[str, str], query: Q | None
    ) -> FileContent:
        """The content, which is read when it is asked for."""
        return await self.call(endpoint, path, query, None)

    async def stream(
        self, endpoint: Endpoint[Q, B, Any], path: Mapping[str, str], query: Q | None, body: B | None
    ) -> AsyncGenerator[Sequence[RawEvent]]:
        """The events of the call, or of the earlier call with the same key."""
        asked_query, asked_body = _checked(endpoint, query, body)
        operation: Operation = self._operations[endpoint.name]
        assert operation.stream is not None
        target = self._target(endpoint)
        if self._key is not None and endpoint.method == "POST":
            name = endpoint.streaming or endpoint.name
            target = target.once(self._asked(name, path, asked_query, asked_body))
        call = operation.stream(path, asked_query, asked_body)
        events = target.stream(call)
        try:
            first = await anext(events)
        except Replay as repeated:
            events, first = target.again(repeated, call), ()
        async with aclosing(events):
            yield first
            async for batch in events:
                yield batch

    def _target(self, endpoint: Endpoint[Any, Any, Any]) -> Any:
        require_scope(self._caller.scopes, endpoint.access)
        return self._caller.project if endpoint.access == "project" else self._caller.administration

    def _asked(self, name: str, path: Mapping[str, str], query: Request, body: Request) -> IdempotentRequest:
        assert self._key is not None
        return with_key(self._key, digest(*_identity(name, path, query), msgspec.json.encode(body)))


def _identity(name: str, path: Mapping[str, str], query: Request) -> tuple[bytes, ...]:
    return name.encode(), msgspec.json.encode(path), msgspec.json.encode(query)


def _checked(endpoint: Endpoint[Q, B, Any], query: Q | None, body: B | None) -> tuple[Request, Request]:
    """Query and body as a server would read them; `BadRequest` if it would refuse them."""
    asked_query = validate(query) if query is not None else endpoint.query()
    if endpoint.takes != "json":
        return asked_query, NOTHING
    return asked_query, validate(body) if body is not None else endpoint.body()


def _recorded(endpoint: Endpoint[Any, Any, R], replay: Replay) -> R:
    """The reply of the earlier call, which a newer version may have recorded."""
    try:
        return msgspec.json.decode(replay.answer, type=endpoint.reply)
    except msgspec.ValidationError:
        return decode_lenient(endpoint.reply, replay.answer)
