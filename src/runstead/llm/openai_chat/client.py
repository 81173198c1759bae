"""The HTTP client of one chat completions server: streams, retries, timeouts, errors.

```
reply ─▶ _begin: request, with retries ─▶ first pieces ─▶ batch by batch ─▶ complete, or ModelError
         (retries are safe: nothing was yielded)          (no retries: pieces were yielded)
```
The only module that imports aiohttp for models.
"""

import asyncio
import logging
import os
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from fnmatch import fnmatchcase
from typing import TypeAlias

import aiohttp
from msgspec import UNSET

from runstead.domain.model_call import ModelRequest, Piece
from runstead.llm.openai_chat.adjustment import AdjustedRequest, Adjustments
from runstead.llm.openai_chat.answer_reader import AnswerReader
from runstead.llm.openai_chat.endpoint import Endpoints
from runstead.llm.openai_chat.failure import Failure, error_message
from runstead.llm.openai_chat.idle_timeout import IdleTimeout
from runstead.llm.openai_chat.masking import Mask
from runstead.llm.openai_chat.response import UNREADABLE, decode_models
from runstead.llm.openai_chat.retry import Backoff
from runstead.llm.openai_chat.upstream import Upstream
from runstead.llm.port import ModelError
from runstead.wire.error import Closed
from runstead.wire.model import Model

__all__ = ["OpenAIChat"]

_Batch: TypeAlias = Sequence[Piece]

_log = logging.getLogger("runstead.llm")

_ERROR_BYTES = 64 * 1024
_MODELS_BYTES = 8 * 2**20
_MODELS_TIMEOUT = 5.0
_MAX_RATE_LIMIT_WAIT = 2.0
"""Seconds that one call waits for a rate limit to end, over all of its retries."""
_LAST_BYTES_TIMEOUT = 0.25
"""Seconds to wait for the end of the body after `[DONE]`. Reading it lets the connection be reused."""


class OpenAIChat:
    """The models of one upstream, as a `ChatModel`."""

    def __init__(
        self,
        upstream: Upstream,
        *,
        backoff: Backoff | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._upstream = upstream
        self._backoff = backoff or Backoff()
        self._sleep = sleep
        self._endpoints = Endpoints(upstream.base_url, upstream.server)
        self._fields = upstream.fields
        self._adjustments = Adjustments()
        self._mask = Mask(())
        self._open_session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        own = self._upstream.all_headers()
        headers = {"Accept-Encoding": "identity", "User-Agent": "runstead", **own}
        self._mask = Mask(self._upstream.secrets(own))
        self._open_session = aiohttp.ClientSession(
            # There is no limit on connections: the upstream queues the calls, or answers that it is overloaded.
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=None, connect=self._upstream.connect_timeout),
        )

    async def stop(self) -> None:
        if self._open_session is not None:
            await self._open_session.close()
            self._open_session = None

    def supports(self, model: str) -> bool:
        return any(fnmatchcase(model, pattern) for pattern in self._upstream.models)

    def window(self, model: str) -> int | None:
        return self._upstream.window if self.supports(model) else None

    async def models(self) -> Sequence[Model]:
        if self._endpoints.models is None:
            return []
        try:
            async with (
                asyncio.timeout(_MODELS_TIMEOUT),
                self._session.get(self._endpoints.models, allow_redirects=False) as response,
            ):
                await _check_status(response)
                return decode_models(await _read_body(response, _MODELS_BYTES))
        except Failure as failure:
            reason = failure.message(self._mask)
        except (aiohttp.ClientError, OSError) as error:
            reason = _connection_failure(error).message(self._mask)
        except UNREADABLE as error:
            reason = f"sent an answer that is not a list of models: {error}"
        name = self._upstream.name
        _log.warning("Cannot list the models: the model server '%s' %s", name, reason, extra={"upstream": name})
        return []

    @asynccontextmanager
    async def reply(self, request: ModelRequest) -> AsyncIterator[AsyncIterator[_Batch]]:
        async with aclosing(self._batches(request)) as batches:
            yield batches

    async def _batches(self, request: ModelRequest) -> AsyncGenerator[_Batch, None]:
        answer, pieces = await self._begin(request)
        try:
            while pieces:
                yield pieces
                pieces = await answer.read()
        except Failure as failure:
            raise failure.model_error(self._upstream.name, mask=self._mask) from None
        finally:
            answer.close()

    async def _begin(self, request: ModelRequest) -> tuple["_Answer", _Batch]:
        """Send the request until the first pieces are received, or until a retry cannot help."""
        adjusted = AdjustedRequest(request, self._upstream.name, self._fields, self._adjustments)
        run_id = None if request.run_id is UNSET else request.run_id
        retry, waited = 0, 0.0
        while True:
            try:
                answer = await self._attempt(request.model, adjusted.encode(), run_id)
            except Failure as failure:
                if adjusted.adjust(failure):
                    continue
                wait = self._backoff.wait(retry, failure.retry_after)
                waited += wait
                # A long wait would occupy one of the worker's slots; the engine delays the run instead.
                too_long = failure.rate_limited and waited > _MAX_RATE_LIMIT_WAIT
                if retry == self._upstream.max_retries or not failure.retryable or too_long:
                    error = failure.model_error(self._upstream.name, retry + 1, self._mask)
                    raise _with_remedy(error, adjusted.remedy(failure)) from None
                self._log_retry(failure, retry, wait, run_id)
            else:
                adjusted.accepted()
                return answer
            await self._sleep(wait)
            retry += 1

    async def _attempt(self, model: str, body: bytes, run_id: str | None) -> tuple["_Answer", _Batch]:
        """Send the request once. Returns the answer and its first pieces."""
        headers = {"Content-Type": "application/json"}
        if run_id:
            headers["X-Client-Request-Id"] = run_id
        try:
            async with asyncio.timeout(self._upstream.first_token_timeout):
                url = self._endpoints.chat(model)
                response = await self._session.post(url, data=body, headers=headers, allow_redirects=False)
                with _closed_on_error(response):
                    await _check_status(response)
                    data = await response.content.readany()
        except aiohttp.ClientError as error:
            raise _connection_failure(error) from error
        except TimeoutError:
            raise Failure(f"sent nothing for {self._upstream.first_token_timeout:g} s") from None
        except OSError as error:
            raise _connection_failure(error) from error
        answer = _Answer(response, self._upstream.token_timeout)
        with _closed_on_error(answer):
            return answer, await answer.read(data)

    def _log_retry(self, failure: Failure, retry: int, wait: float, run_id: str | None) -> None:
        name, reason = self._upstream.name, failure.message(self._mask)
        _log.warning(
            "The model server '%s' %s; retry %d of %d in %.1f s",
            name, reason, retry + 1, self._upstream.max_retries, wait,
            extra={"run_id": run_id, "upstream": name, "status": failure.status, "wait": wait},
        )  # fmt: skip

    @property
    def _session(self) -> aiohttp.ClientSession:
        if self._open_session is None:
            raise Closed(f"The model server '{self._upstream.name}' is not started, or was stopped.")
        return self._open_session


class _Answer:
    """An answer that is being received over one connection."""

    def __init__(self, response: aiohttp.ClientResponse, token_timeout: float) -> None:
        self._response = response
        self._content = response.content
        self._reader = AnswerReader()
        self._token_timeout = token_timeout
        self._idle_timeout = IdleTimeout(token_timeout, response.close)

    async def read(self, data: bytes | None = None) -> _Batch:
        """The next pieces; empty when the answer is complete. `data` are bytes that were read already."""
        while not self._reader.done:
            if data is None:
                self._reader.check()
                data = await self._receive()
            pieces = self._reader.feed(data) if data else self._reader.end()
            if pieces:
                return pieces
            data = None
        await self._finish()
        return ()

    def close(self) -> None:
        """Stop reading. This closes the connection, unless the answer was read to its end."""
        self._idle_timeout.stop()
        self._response.close()

    async def _receive(self) -> bytes:
        self._idle_timeout.begin_read()
        try:
            return await self._content.readany()
        except (aiohttp.ClientError, OSError) as error:
            if self._idle_timeout.expired:
                raise Failure(f"sent nothing for {self._token_timeout:g} s in the middle of its answer") from None
            raise Failure("broke off in the middle of its answer", retryable=True) from error
        finally:
            self._idle_timeout.end_read()

    async def _finish(self) -> None:
        with suppress(TimeoutError, aiohttp.ClientError, OSError):
            async with asyncio.timeout(_LAST_BYTES_TIMEOUT):
                while not self._content.at_eof():
                    await self._content.readany()


def _with_remedy(error: ModelError, remedy: str) -> ModelError:
    return ModelError(error.message + remedy, error.code) if remedy else error


@contextmanager
def _closed_on_error(connection: aiohttp.ClientResponse | _Answer) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise


async def _check_status(response: aiohttp.ClientResponse) -> None:
    """Raise `Failure` unless the status is a success."""
    if response.status < 300:
        return
    if response.status < 400:
        location = response.headers.get("Location", "elsewhere")
        raise Failure(f"redirects to {location}; if that is right, make it the url", status=response.status)
    try:
        body = await _read_body(response, _ERROR_BYTES)
    except aiohttp.ClientError:
        body = b""
    failure = Failure.answered(response.status, error_message(body), response.headers)
    failure.body = body
    raise failure


async def _read_body(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """The body, cut after `limit` bytes."""
    parts: list[bytes] = []
    while limit > 0 and (part := await response.content.read(limit)):
        parts.append(part)
        limit -= len(part)
    return b"".join(parts)


def _connection_failure(error: aiohttp.ClientError | OSError) -> Failure:
    """The failure for a request without an answer. It is retryable, unless the TLS certificate was refused."""
    if isinstance(error, aiohttp.ClientConnectorError):
        cause = error.os_error
        refused = isinstance(cause, ssl.SSLError | ssl.CertificateError)
        number = cause.errno or 0
        cause_text = os.strerror(number) if number > 0 and not refused else str(cause)
        return Failure(f"cannot be reached at {error.host}:{error.port}: {cause_text}", retryable=not refused)
    if isinstance(error, TimeoutError):
        return Failure("cannot be reached: connecting timed out", retryable=True)
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return Failure("closed the connection without an answer", retryable=True)
    return Failure(f"gave no answer: {str(error) or type(error).__name__}", retryable=True)
