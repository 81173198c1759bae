"""A client's calls as those of the engine's project."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

import msgspec

from runstead.domain.idempotency import IdempotentRequest, Replay, digest, with_key
from runstead.embedded.arguments import arguments_of
from runstead.engine.resources.project import Project
from runstead.wire.codec.lenient import decode_lenient
from runstead.wire.endpoint import Endpoint
from runstead.wire.event import RawEvent
from runstead.wire.struct import Request

__all__ = ["Calls"]

R = TypeVar("R")


class Calls:
    """The calls to one project. With a key, what they change is changed once, as a server would."""

    def __init__(self, project: Project, key: str | None = None) -> None:
        self._project = project
        self._key = key

    def once(self, key: str | None) -> "Calls":
        """The same, with this key."""
        return Calls(self._project, key)

    async def call(
        self, endpoint: Endpoint[R], path: Mapping[str, str], query: Request | None, body: Request | None
    ) -> R:
        """What the call gives, or gave when it was made before."""
        arguments = arguments_of(endpoint, path, query, body)
        project = self._bound(endpoint, endpoint.name, arguments)
        try:
            reply: R = await getattr(project, endpoint.name)(**arguments)
        except Replay as repeated:
            try:
                return msgspec.json.decode(repeated.answer, type=endpoint.reply)
            except msgspec.ValidationError:  # a newer version recorded it
                return decode_lenient(endpoint.reply, repeated.answer)
        return reply

    async def stream(
        self, endpoint: Endpoint[Any], path: Mapping[str, str], query: Request | None, body: Request | None
    ) -> AsyncGenerator[Sequence[RawEvent]]:
        """The events of the call, or of what it began when it was made before."""
        arguments = arguments_of(endpoint, path, query, body)
        name = endpoint.streaming or endpoint.name
        project = self._bound(endpoint, name, arguments)
        events = project.stream(name, **arguments)
        try:
            first = await anext(events)
        except Replay as repeated:
            events, first = project.again(repeated), ()
        async with aclosing(events):
            yield first
            async for batch in events:
                yield batch

    def _bound(self, endpoint: Endpoint[Any], name: str, arguments: Mapping[str, Any]) -> Project:
        if self._key is None or endpoint.method != "POST":
            return self._project
        asked: IdempotentRequest = with_key(self._key, digest(name.encode(), msgspec.json.encode(arguments)))
        return self._project.once(asked)
