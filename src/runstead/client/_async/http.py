"""The HTTP transport: requests, retries and event streams."""

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
from runstead.client.deadline import CallTime, Deadline
from runstead.client.http.connection_errors import CONNECTION_ERRORS, never_sent, unreachable
from runstead.client.http.incoming import (
    EventReader,
    Headers,
    advice,
    content_head,
    error_of,
    header,
    object_of,
    poll_after,
    supports_idempotency,
)
from runstead.client.http.outgoing import Outgoing, greeting, outgoing
from runstead.client.http.retries import RetryPolicy, RetryState, ServerFeatures
from runstead.client.http.server_text import TextSanitizer
from runstead.client.http.target import Target
from runstead.wire.codec.sse import MAX_FRAME
from runstead.wire.endpoints.endpoint import Endpoint
from runstead.wire.error import Closed, ServerError, Unreachable, WaitTimeout
from runstead.wire.event import Event
from runstead.wire.file import FileContent
from runstead.wire.struct import Request

__all__ = ["AsyncHttpTransport"]

Q = TypeVar("Q", bound=Request)
B = TypeVar("B", bound=Request)
R = TypeVar("R")

CONNECT_TIMEOUT = 10.0
"""Seconds for a connection to open."""

STREAM_SILENCE = 600.0
"""Seconds that a stream may take for its next line. Other servers send no keep-alive comments while a model thinks."""

MAX_RESPONSE = MAX_FRAME
"""Bytes of one response, and of one event of a stream, by default. 100 messages of 256,000 letters have 26 MB."""

MAX_ERROR_BODY = 64 * 1024
"""Bytes of an error response that are read."""

DRAIN_TIMEOUT = 0.25
"""Seconds that a server may take to end a response after its `done` event."""

DEFAULT_RETRIES = RetryPolicy()


class AsyncHttpTransport:
    """Sends requests to one server, and retries them where that is safe.

    `timeout` is for a whole call, in seconds: its connection, request and response, its retries and the pauses between
    them. A stream has it for its head, and then `STREAM_SILENCE` for each line. A download has it for its head, and
    then for each read. An upload has it for each 64 KiB that are sent, and then for the response.

    `max_response` limits the bytes of one response, and of one event of a stream. A download has no limit.
    """

    def __init__(
        self,
        target: Target,
        pool: AsyncPool,
        *,
        timeout: float = 60.0,
        max_response: int = MAX_RESPONSE,
        retries: RetryPolicy = DEFAULT_RETRIES,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._target = target
        self._pool = pool
        self._timeout = timeout
        self._max_response = max_response
        self._retries = retries
        self._sleep = sleep
        self._features = ServerFeatures()
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
        return object_of(endpoint.reply, content, self._target.sanitize)

    async def poll(
        self, endpoint: Endpoint[Q, B, R], path: Mapping[str, str], deadline: Deadline | None = None
    ) -> tuple[R, float | None]:
        reply, content = await self._answer(outgoing(self._target, endpoint, path, None, None), deadline)
        return object_of(endpoint.reply, content, self._target.sanitize), poll_after(reply.headers)

    async def stream(
        self,
        endpoint: Endpoint[Q, B, Any],
        path: Mapping[str, str],
        query: Q | None = None,
        body: B | None = None,
        deadline: Deadline | None = None,
    ) -> AsyncGenerator[Event]:
        request = outgoing(self._target, endpoint, path, query, body, streaming=True, key=self._key)
        state = RetryState(self._retries, self._features, repeatable=request.repeatable)
        delivered = request.repeatable
        while True:
            reply, _ = await self._answer(request, deadline, whole=False)
            try:
                async with aclosing(self._events(reply, deadline)) as events:
                    async for event in events:
                        delivered = True
                        yield event
                return
            except Unreachable as error:
                # Before its first event, only the call itself can reach its run. Later, the reader resumes by position.
                retry = not delivered and self._features.supports_idempotency
                pause = state.disconnected(error, never_sent=False) if retry else None
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
        return object_of(endpoint.reply, content, self._target.sanitize)

    async def download(
        self,
        endpoint: Endpoint[Q, B, FileContent],
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
        sanitize = self._target.sanitize
        reader = EventReader(sanitize, self._max_response)
        drained_by: float | None = None
        try:
            _check_streaming(reply.headers, sanitize)
            renewed = _renew(reply, deadline)
            async for chunk in reply.chunks:
                for event in reader.feed(chunk):
                    yield event
                if reader.done:
                    # A connection can be reused only after its response was read to the end.
                    drained_by = drained_by or monotonic() + DRAIN_TIMEOUT
                    reply.wait_until(drained_by)
                elif deadline is not None and deadline.over:
                    raise _timed_out(deadline)
                elif b"\n" in chunk and monotonic() - renewed > STREAM_SILENCE / 100:
                    renewed = _renew(reply, deadline)
            reader.end()
        except CONNECTION_ERRORS as error:
            if not reader.done:
                raise self._connection_error(error, deadline)  # noqa: B904 (it has its cause)
        finally:
            reply.wait_until(None)
            await reply.aclose()

    async def _chunks(self, reply: AsyncReply, deadline: Deadline | None) -> AsyncGenerator[bytes]:
        """The content of a response as it arrives."""
        try:
            async for chunk in reply.chunks:
                yield chunk
        except CONNECTION_ERRORS as error:
            raise self._connection_error(error, deadline)  # noqa: B904 (it has its cause)
        finally:
            reply.wait_until(None)

    async def _answer(
        self, request: Outgoing, deadline: Deadline | None, *, whole: bool = True
    ) -> tuple[AsyncReply, bytes]:
        """Send a request, with retries, until it succeeds: the reply, and its content if it is read `whole`."""
        state = RetryState(self._retries, self._features, repeatable=request.repeatable)
        call_time = CallTime(self._timeout, deadline, upload=request.form is not None)
        while True:
            if self._pool.closed:
                raise Closed("This client was closed.")
            failure: Exception
            try:
                await self._check_idempotency(state, call_time)
                reply, content = await self._exchange(request, call_time, whole=whole)
            except CONNECTION_ERRORS as error:
                failure = self._connection_error(error, deadline)
                pause = state.disconnected(failure, never_sent=never_sent(error))
                if not (request.resendable or never_sent(error)):
                    pause = None
            else:
                if reply.status < 300:
                    return reply, content
                failure = error_of(reply.status, reply.headers, content, self._target.sanitize)
                pause = state.failed(failure, advice(reply.status, reply.headers))
                if not request.resendable:
                    pause = None
            if pause is None or call_time.remaining <= pause:
                raise failure
            await self._sleep(pause)

    async def _check_idempotency(self, state: RetryState, call_time: CallTime) -> None:
        """Before the retry of a request that may have been carried out: raise unless the server honours its key."""
        if state.outcome_unknown is None:
            return
        if self._features.supports_idempotency is None:
            await self._exchange(greeting(self._target), call_time)
        if not self._features.supports_idempotency:
            raise state.outcome_unknown

    async def _exchange(
        self, request: Outgoing, call_time: CallTime, *, whole: bool = True
    ) -> tuple[AsyncReply, bytes]:
        """One request and its reply. Errors are read up to a limit, other replies if they are read `whole`."""
        reply = await self._pool.send(self._message(request), call_time.until, call_time.answer_seconds)
        self._features.observe(reply.status, supports_idempotency=supports_idempotency(reply.headers))
        if not whole and reply.status < 300:
            return reply, b""
        limit = self._max_response if reply.status < 300 else MAX_ERROR_BODY
        try:
            content = await reply.read(limit)
        finally:
            await reply.aclose()
        if reply.status < 300 and len(content) > limit:
            raise ServerError(
                f"The response has more than {limit:,} bytes. Ask for a page with a smaller `limit`, or connect with a "
                "larger `max_response`."
            )
        return reply, content

    def _message(self, request: Outgoing) -> httpcore2.Request:
        target = self._target
        silence = max(self._timeout, STREAM_SILENCE) if request.streaming else self._timeout
        timeouts = {"connect": min(CONNECT_TIMEOUT, self._timeout), "read": silence, "write": self._timeout}
        return httpcore2.Request(
            request.method,
            httpcore2.URL(
                scheme=target.scheme.encode(), host=target.host.encode(), port=target.port, target=request.path
            ),
            headers=request.headers,
            content=request.content if request.form is None else request.form,
            extensions={"timeout": timeouts},
        )

    def _connection_error(self, error: Exception, deadline: Deadline | None) -> Exception:
        return _timed_out(deadline) if deadline is not None and deadline.over else unreachable(error, self._target)


def _renew(reply: AsyncReply, deadline: Deadline | None) -> float:
    """Allow a stream to be silent for `STREAM_SILENCE` from now on. Returns the present time."""
    now = monotonic()
    silent_until = now + STREAM_SILENCE
    reply.wait_until(silent_until if deadline is None else min(silent_until, deadline.at))
    return now


def _timed_out(deadline: Deadline) -> WaitTimeout:
    return WaitTimeout(f"Not done within {deadline.seconds:g} s.")


def _check_streaming(headers: Headers, sanitize: TextSanitizer) -> None:
    kind = header(headers, b"content-type") or ""
    if not kind.startswith("text/event-stream"):
        named = sanitize(kind, 200) or "something without a type"
        raise ServerError(f"The server does not stream: it answered with {named!r}.")
