"""The HTTP client of one embedding server: batches, retries, rate limits, checked answers.

    texts ─▶ windows ─▶ batches ─▶ request, with retries ─▶ checked vectors ─▶ joined

A batch of documents waits for its turn, a query does not.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import msgspec
import numpy as np

from runstead.domain.chat import tokens
from runstead.model_server.endpoint import Endpoints
from runstead.model_server.failure import Failure
from runstead.model_server.masking import Mask
from runstead.model_server.response import check_status, connection_failure, read_body
from runstead.model_server.retry import Backoff
from runstead.model_server.split_characters import repaired
from runstead.retrieval.embeddings.openai.answer import read_vectors
from runstead.retrieval.embeddings.openai.server import EmbeddingServer
from runstead.retrieval.embeddings.port import EmbeddingError, Purpose, Vectors
from runstead.retrieval.embeddings.windows import Windows
from runstead.wire.error import Closed

__all__ = ["OpenAIEmbeddings"]

_log = logging.getLogger("runstead.embeddings")

_MAX_BATCH_TOKENS = 100_000
_MAX_BATCH_NUMBERS = 2**18
"""Numbers in one answer, so that it is decoded in a few milliseconds."""
_NUMBER_BYTES = 32
"""Bytes of a number in JSON at most, with the spaces around it."""
_OTHER_BYTES = 2**18
"""Bytes of the rest of an answer, and of the answer to the first text, whose dimension is unknown."""
_DOCUMENT_REQUESTS = 4
"""Requests for documents at once."""
_MAX_QUERY_RETRIES = 2
_MAX_RATE_LIMIT_WAIT = 2.0
"""Seconds that one request waits for a rate limit to end. For a longer one the caller delays its work."""


class OpenAIEmbeddings:
    """One model of an embedding server, as `Embeddings`."""

    def __init__(
        self,
        server: EmbeddingServer,
        *,
        backoff: Backoff | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._server = server
        self._url = Endpoints(server.base_url, server.server).embeddings(server.model)
        self._backoff = backoff or Backoff()
        self._sleep = sleep
        self._mask = Mask(())
        self._base64 = True
        self._dimension = server.dimensions
        self._asking = asyncio.Lock()
        self._documents = asyncio.Semaphore(_DOCUMENT_REQUESTS)
        self._open_session: aiohttp.ClientSession | None = None

    @property
    def model(self) -> str:
        return self._server.model

    async def dimension(self) -> int:
        async with self._asking:
            if self._dimension is None:
                first = await self._request(["dimension"], None, _MAX_QUERY_RETRIES)
                self._dimension = first.shape[1]
            return self._dimension

    async def embed(self, texts: Sequence[str], *, purpose: Purpose) -> Vectors:
        dimension = await self.dimension()
        windows = Windows([repaired(text) for text in texts], self._server.tokens, tokens.of_text)
        count = max(1, min(self._server.batch, _MAX_BATCH_NUMBERS // dimension))
        batches = windows.batches(count=count, size=_MAX_BATCH_TOKENS)
        rows = [await self._batch(batch, dimension, purpose) for batch in batches]
        vectors = np.concatenate(rows) if rows else np.empty((0, dimension), dtype=np.float32)
        return windows.joined(vectors)

    async def start(self) -> None:
        own = self._server.all_headers()
        self._mask = Mask(self._server.secrets(own))
        self._open_session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),  # `_documents` is the limit; queries have none
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept-Encoding": "identity", "User-Agent": "runstead", **own},
            timeout=aiohttp.ClientTimeout(total=self._server.timeout, connect=self._server.connect_timeout),
        )

    async def stop(self) -> None:
        if self._open_session is not None:
            await self._open_session.close()
            self._open_session = None

    async def _batch(self, texts: list[str], dimension: int, purpose: Purpose) -> Vectors:
        async with AsyncExitStack() as turn:
            if purpose == "document":
                await turn.enter_async_context(self._documents)
            return await self._request(texts, dimension, _MAX_QUERY_RETRIES if purpose == "query" else None)

    async def _request(self, texts: list[str], dimension: int | None, max_retries: int | None) -> Vectors:
        """Send a batch until it is answered, or until a retry cannot help."""
        most = self._server.max_retries if max_retries is None else min(max_retries, self._server.max_retries)
        retry, waited = 0, 0.0
        while True:
            try:
                return await self._attempt(texts, dimension)
            except Failure as failure:
                if self._base64 and failure.rejected and _names_the_encoding(failure):
                    self._base64 = False
                    continue
                wait = self._backoff.wait(retry, failure.retry_after)
                waited += wait
                too_long = failure.rate_limited and waited > _MAX_RATE_LIMIT_WAIT
                if retry >= most or not failure.retryable or too_long:
                    raise self._error(failure, retry + 1) from None
                _log.warning(
                    "The embedding server '%s' %s; retry %d of %d in %.1f s",
                    self._server.name, failure.message(self._mask), retry + 1, most, wait,
                    extra={"upstream": self._server.name, "status": failure.status, "wait": wait},
                )  # fmt: skip
            await self._sleep(wait)
            retry += 1

    async def _attempt(self, texts: list[str], dimension: int | None) -> Vectors:
        limit = _OTHER_BYTES + len(texts) * (dimension or 0) * _NUMBER_BYTES
        try:
            body, headers = msgspec.json.encode(self._body(texts)), {"Content-Type": "application/json"}
            async with self._session.post(self._url, data=body, headers=headers, allow_redirects=False) as response:
                await check_status(response)
                answer = await read_body(response, limit + 1)
        except (aiohttp.ClientError, OSError) as error:
            raise _connection_failure(error, self._server.timeout) from error
        if len(answer) > limit:
            raise Failure(f"sent more than {limit} bytes for {len(texts)} texts")
        return read_vectors(answer, len(texts), dimension)

    def _body(self, texts: list[str]) -> Mapping[str, Any]:
        asked = {} if self._server.dimensions is None else {"dimensions": self._server.dimensions}
        # Numbers in base64 are a quarter as long, and are decoded in a fraction of the time.
        encoding = {"encoding_format": "base64" if self._base64 else "float"}
        return {"model": self._server.model, "input": texts, **encoding, **asked}

    def _error(self, failure: Failure, attempts: int) -> EmbeddingError:
        tried = f" ({attempts} attempts)" if attempts > 1 else ""
        return EmbeddingError(
            f"The embedding server '{self._server.name}' {failure.message(self._mask)}{tried}",
            rate_limited=failure.rate_limited,
            retry_after=failure.retry_after,
            permanent=not failure.retryable and failure.status != 429,
        )

    @property
    def _session(self) -> aiohttp.ClientSession:
        if self._open_session is None:
            raise Closed(f"The embedding server '{self._server.name}' is not started, or was stopped.")
        return self._open_session


def _names_the_encoding(failure: Failure) -> bool:
    return b"encoding_format" in failure.answer or b"base64" in failure.answer


def _connection_failure(error: aiohttp.ClientError | OSError, timeout: float) -> Failure:
    if isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ClientConnectorError):
        return Failure(f"did not answer within {timeout:g} s", retryable=True)
    return connection_failure(error)
