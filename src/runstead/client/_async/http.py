"""Calls over HTTP."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from copy import copy
from time import monotonic
from typing import Any, Self, TypeVar

import httpcore2

from runstead.client._async.download import AsyncDownload
from runstead.client._async.pool import AsyncPool, AsyncReply
from runstead.client._async.upload import AsyncFormBody, AsyncUpload
from runstead.client.deadline import Deadline
from runstead.client.incoming import (
    EventReader,
    Headers,
    advice,
    content_head,
    error_of,
    header,
    keeps_keys,
    object_of,
    poll_after,
)
from runstead.client.outgoing import Outgoing, greeting, outgoing
from runstead.client.retries import Habits, Retries, Tries
from runstead.client.target import Target
from runstead.client.trouble import TROUBLE, never_sent, unreachable
from runstead.interface.transfer import Content
from runstead.wire.endpoints.endpoint import Endpoint
from runstead.wire.error import Closed, ServerError, Unreachable, WaitTimeout
from runstead.wire.event import Event
from runstead.wire.struct import Request

__all__ = ["AsyncHttpTransport"]

Q = TypeVar("Q", bound=Request)
B = TypeVar("B", bound=Request)
R = TypeVar("R")

CONNECTING = 10.0
"""Seconds for a connection to open."""
SILENCE = 600.0
"""Seconds that a stream may bring nothing at all: other servers send no signs of life while a model thinks."""

CLOSING = 0.25
"""Seconds that a server may take to end an answer after its last event."""

THREE_TRIES = Retries()


class AsyncHttpTransport:
    """Sends requests to one server, again where that is safe. `timeout` is how long an answer may take."""

    def __init__(
        self,
        target: Target,
        pool: AsyncPool,
        *,
        timeout: float = 60.0,
        retries: Retries = THREE_TRIES,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._target = target
        self._pool = pool
        self._timeout = timeout
        self._retries = retries
        self._sleep = sleep
        self._habits = Habits()
        self._key: str | None = None

    def __repr__(self) -> str:
        return f"AsyncHttpTransport({self._target.url!r})"

    async def call(
        self,
        endpoint: Endpoint[Q, B, R],
        path: Mapping[str, str],
        query: Q | None = None,
        body: B | None = None,
        deadline: Deadline | None = None,
    ) -> R:
        request = outgoing(self._target, endpoint, path, query, body, key=self._key)
        _, content = await self._answer(request, deadline)
        return object_of(endpoint.reply, content)

    async def poll(
        self, endpoint: Endpoint[Q, B, R], path: Mapping[str, str], deadline: Deadline | None = None
    ) -> tuple[R, float | None]:
        reply, content = await self._answer(outgoing(self._target, endpoint, path, None, None), deadline)
        return object_of(endpoint.reply, content), poll_after(reply.headers)

    async def stream(
        self,
        endpoint: Endpoint[Q, B, Any],
        path: Mapping[str, str],
        query: Q | None = None,
        body: B | None = None,
        deadline: Deadline | None = None,
    ) -> AsyncGenerator[Event]:
        request = outgoing(self._target, endpoint, path, query, body, streaming=True, key=self._key)
        tries = Tries(self._retries, self._habits, repeatable=request.repeatable)
        told = request.repeatable
        while True:
            reply, _ = await self._answer(request, deadline, whole=False, patience=SILENCE)
            try:
                async with aclosing(self._events(reply, deadline)) as events:
                    async for event in events:
                        told = True
                        yield event
                return
            except Unreachable as error:
                # As long as nothing was told, the call itself is the only way to its run. Later there are others.
                pause = None if told or not self._habits.keeps_keys else tries.lost(error, never_sent=False)
                if pause is None or (deadline is not None and deadline.remaining <= pause):
                    raise
            await self._sleep(pause)

    async def upload(
        self,
        endpoint: Endpoint[Q, B, R],
        path: Mapping[str, str],
        upload: AsyncUpload[B],
        query: Q | None = None,
        deadline: Deadline | None = None,
    ) -> R:
        form = AsyncFormBody(upload)
        request = outgoing(self._target, endpoint, path, query, None, key=self._key, form=form)
        _, content = await self._answer(request, deadline)
        return object_of(endpoint.reply, content)

    async def download(
        self,
        endpoint: Endpoint[Q, B, Content],
        path: Mapping[str, str],
        query: Q | None = None,
        deadline: Deadline | None = None,
    ) -> AsyncDownload:
        request = outgoing(self._target, endpoint, path, query, None)
        reply, _ = await self._answer(request, deadline, whole=False)
        reply.wait_until(None if deadline is None else deadline.at)
        return AsyncDownload(content_head(reply.headers), self._chunks(reply, deadline), reply)

    def once(self, key: str | None) -> Self:
        transport = copy(self)
        transport._key = key  # noqa: SLF001 (its own)
        return transport

    async def aclose(self) -> None:
        await self._pool.aclose()

    async def _events(self, reply: AsyncReply, deadline: Deadline | None) -> AsyncGenerator[Event]:
        reply.wait_until(None if deadline is None else deadline.at)
        reader = EventReader()
        try:
            _check_streaming(reply.headers)
            async for chunk in reply.chunks:
                for event in reader.feed(chunk):
                    yield event
                if reader.done:
                    # Read on to the end of the answer, so that the connection can be used again.
                    reply.wait_until(monotonic() + CLOSING)
                elif deadline is not None and deadline.over:
                    raise _late(deadline)
            reader.end()
        except TROUBLE as error:
            if not reader.done:
                raise self._lost(error, deadline) from error
        finally:
            reply.wait_until(None)
            await reply.aclose()

    async def _chunks(self, reply: AsyncReply, deadline: Deadline | None) -> AsyncGenerator[bytes]:
        """The content of an answer as it arrives."""
        try:
            async for chunk in reply.chunks:
                yield chunk
        except TROUBLE as error:
            raise self._lost(error, deadline) from error
        finally:
            reply.wait_until(None)

    async def _answer(
        self, request: Outgoing, deadline: Deadline | None, *, whole: bool = True, patience: float | None = None
    ) -> tuple[AsyncReply, bytes]:
        """The answer to a request that succeeded, at once or after some tries, with its content if it is read `whole`.

        `patience` is how many seconds the server may be silent; None for this client's time-out.
        """
        tries = Tries(self._retries, self._habits, repeatable=request.repeatable)
        while True:
            if self._pool.closed:
                raise Closed("This client was closed.")
            failure: Exception
            try:
                await self._resolve(tries, deadline)
                reply, content = await self._exchange(request, deadline, whole=whole, patience=patience)
            except TROUBLE as error:
                failure = self._lost(error, deadline)
                failure.__cause__ = error
                pause = tries.lost(failure, never_sent=never_sent(error))
                if not (request.resendable or never_sent(error)):
                    pause = None
            else:
                if reply.status < 300:
                    return reply, content
                failure = error_of(reply.status, reply.headers, content)
                pause = tries.refused(failure, advice(reply.status, reply.headers))
                if not request.resendable:
                    pause = None
            if pause is None or (deadline is not None and deadline.remaining <= pause):
                raise failure
            await self._sleep(pause)

    async def _resolve(self, tries: Tries, deadline: Deadline | None) -> None:
        """Before what may be done already is tried again: be sure that the server knows it by its key."""
        if tries.doubt is None:
            return
        if self._habits.keeps_keys is None:
            await self._exchange(greeting(self._target), deadline)
        if not self._habits.keeps_keys:
            raise tries.doubt

    async def _exchange(
        self, request: Outgoing, deadline: Deadline | None, *, whole: bool = True, patience: float | None = None
    ) -> tuple[AsyncReply, bytes]:
        """One request and its answer. Errors are read to their end, other answers if they are read `whole`."""
        reply = await self._pool.send(self._message(request, deadline, self._timeout if patience is None else patience))
        self._habits.notice(reply.status, keeps_keys=keeps_keys(reply.headers))
        if not whole and reply.status < 300:
            return reply, b""
        try:
            return reply, await reply.read()
        finally:
            await reply.aclose()

    def _message(self, request: Outgoing, deadline: Deadline | None, patience: float) -> httpcore2.Request:
        target = self._target
        if deadline is not None:
            patience = min(patience, deadline.remaining)
        times = {"connect": min(CONNECTING, patience), "read": patience, "write": patience}
        return httpcore2.Request(
            request.method,
            httpcore2.URL(
                scheme=target.scheme.encode(), host=target.host.encode(), port=target.port, target=request.path
            ),
            headers=request.headers,
            content=request.content if request.form is None else request.form,
            extensions={"timeout": times},
        )

    def _lost(self, error: Exception, deadline: Deadline | None) -> Exception:
        return _late(deadline) if deadline is not None and deadline.over else unreachable(error, self._target)


def _late(deadline: Deadline) -> WaitTimeout:
    return WaitTimeout(f"Not done within {deadline.seconds:g} s.")


def _check_streaming(headers: Headers) -> None:
    kind = header(headers, b"content-type") or ""
    if not kind.startswith("text/event-stream"):
        raise ServerError(f"The server does not stream: it answered with {kind or 'something without a type'!r}.")
