"""The HTTP client of one chat completions server: streams, retries, timeouts, errors.

```
reply ─▶ _begin: request, with retries ─▶ first pieces ─▶ batch by batch ─▶ complete, or ModelError
         (retries are safe: nothing was yielded)          (no retries: pieces were yielded)
```
Only this module, `answer/answer_stream.py`, which receives the bytes, and `model_server/response.py` import aiohttp for
chat models.
"""

import asyncio
import logging
import re
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from fnmatch import translate
from io import BytesIO
from typing import TypeAlias

import aiohttp
from msgspec import UNSET
from msgspec.structs import replace

from runstead.domain.model_call import ModelRequest, Piece
from runstead.informational_responses import Connector
from runstead.llm.openai_chat.answer.answer_budget import AnswerBudget
from runstead.llm.openai_chat.answer.answer_stream import Answer, received
from runstead.llm.openai_chat.model_error import model_error
from runstead.llm.openai_chat.model_list import decode_models
from runstead.llm.openai_chat.request.adjustment import AdjustedRequest, Adjustments
from runstead.llm.openai_chat.state.turn_state import names_state, with_state
from runstead.llm.openai_chat.upstream import Upstream
from runstead.llm.port import ModelError
from runstead.model_server.endpoint import Endpoints
from runstead.model_server.failure import Failure
from runstead.model_server.json_document import NotJSON, TooLarge
from runstead.model_server.masking import Mask
from runstead.model_server.response import check_status, connection_failure, read_body
from runstead.model_server.retry import Backoff
from runstead.turn_budget import TurnBudget
from runstead.wire.error import Closed
from runstead.wire.model import Model

__all__ = ["OpenAIChat"]

_Batch: TypeAlias = Sequence[Piece]
_Begun: TypeAlias = tuple[Answer, _Batch, AsyncGenerator[_Batch, None]]
"""An answer that has begun: its first pieces, and the rest of them."""

_log = logging.getLogger("runstead.llm")

_LARGE_BODY = 2**20
_MODELS_BYTES = 8 * 2**20
_MODELS_TIMEOUT = 5.0
_MAX_RATE_LIMIT_WAIT = 2.0
"""Seconds that one call waits for a rate limit to end, over all of its retries."""
_MAX_BEGUN_RETRIES = 2
"""Retries after an answer that had begun and failed: the server may have read the whole prompt, and count it."""


class OpenAIChat:
    """The models of one upstream, as a `ChatModel`. `budget` is shared with other upstreams."""

    def __init__(
        self,
        upstream: Upstream,
        *,
        budget: AnswerBudget | None = None,
        backoff: Backoff | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._upstream = upstream
        self._budget = budget or AnswerBudget()
        self._backoff = backoff or Backoff()
        self._sleep = sleep
        self._endpoints = Endpoints(upstream.base_url, upstream.server)
        self._fields = upstream.fields
        self._models = [re.compile(translate(pattern)) for pattern in upstream.models]
        self._adjustments = Adjustments()
        self._mask = Mask(())
        self._stateless: set[str] = set()
        """The origins that have refused a field of state by its name, and accepted the same request without it."""
        self._open_session: aiohttp.ClientSession | None = None
        self._turn_budget = TurnBudget()

    async def start(self) -> None:
        own = self._upstream.all_headers()
        headers = {"Accept-Encoding": "identity", "User-Agent": "runstead", **own}
        self._mask = Mask(self._upstream.secrets(own))
        self._open_session = aiohttp.ClientSession(
            # There is no limit on connections: the upstream queues the calls, or answers that it is overloaded.
            connector=Connector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=None, connect=self._upstream.connect_timeout),
        )

    async def stop(self) -> None:
        if self._open_session is not None:
            await self._open_session.close()
            self._open_session = None

    def supports(self, model: str) -> bool:
        return any(pattern.match(model) for pattern in self._models)

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
                await check_status(response)
                return decode_models(await read_body(response, _MODELS_BYTES))
        except Failure as failure:
            reason = failure.message(self._mask)
        except (aiohttp.ClientError, OSError) as error:
            reason = connection_failure(error).message(self._mask)
        except (NotJSON, TooLarge) as error:
            reason = f"sent an answer that is not a list of models: {error}"
        name = self._upstream.name
        _log.warning("Cannot list the models: the model server '%s' %s", name, reason, extra={"upstream": name})
        return []

    @asynccontextmanager
    async def reply(self, request: ModelRequest) -> AsyncIterator[AsyncIterator[_Batch]]:
        async with aclosing(self._batches(request)) as batches:
            yield batches

    async def _batches(self, request: ModelRequest) -> AsyncGenerator[_Batch, None]:
        answer, first, batches = await self._begin(request)
        try:
            async with aclosing(batches):
                yield first
                async for pieces in batches:
                    yield pieces
        except Failure as failure:
            raise model_error(failure, self._upstream.name, mask=self._mask) from None
        finally:
            answer.close()

    async def _begin(self, request: ModelRequest) -> _Begun:
        """Send the request until the first pieces are received, or until a retry cannot help."""
        origin = self._origin(request)
        sent = self._with_state(request, origin)
        refusal: Failure | None = None
        refuses_state = False
        adjusted = AdjustedRequest(sent, self._upstream.name, self._fields, self._adjustments)
        run_id = None if request.run_id is UNSET else request.run_id
        retry, waited = 0, 0.0
        while True:
            try:
                self._budget.check()
                begun = await self._attempt(request, adjusted.encode(), origin)
            except Failure as failure:
                has_state = sent is not request
                names_it = has_state and failure.rejected and names_state(failure.answer, request.carried.values())
                if not names_it and adjusted.adjust(failure):
                    continue
                if has_state and failure.rejected:
                    # Some servers refuse what they have sent. They get the request without it, and no wait helps.
                    self._log_without_state(failure, run_id)
                    refusal, refuses_state = failure, names_it
                    sent = request
                    adjusted.send_instead(request)
                    continue
                if refusal is not None and failure.rejected and not refuses_state:
                    # The state was not the reason, and without it the server may complain that it is missing.
                    failure = refusal
                wait = self._backoff.wait(retry, failure.retry_after)
                waited += wait
                # A long wait would occupy one of the worker's slots; the engine delays the run instead.
                too_long = failure.rate_limited and waited > _MAX_RATE_LIMIT_WAIT
                max_retries = min(self._upstream.max_retries, _MAX_BEGUN_RETRIES if failure.began else sys.maxsize)
                if retry >= max_retries or not failure.retryable or too_long:
                    error = model_error(failure, self._upstream.name, retry + 1, self._mask)
                    raise _with_remedy(error, adjusted.remedy(failure)) from None
                self._log_retry(failure, retry, wait, run_id)
            else:
                adjusted.accepted()
                if refuses_state:
                    self._stateless.add(origin)
                return begun
            await self._sleep(wait)
            retry += 1

    async def _attempt(self, request: ModelRequest, body: bytes, origin: str) -> _Begun:
        """Send the request once. Returns the answer and its first pieces."""
        headers = {"Content-Type": "application/json"}
        if request.run_id:
            headers["X-Client-Request-Id"] = request.run_id
        begin_until = asyncio.get_running_loop().time() + self._upstream.first_token_timeout
        try:
            async with asyncio.timeout_at(begin_until):
                url = self._endpoints.chat(request.model)
                # A large body is written in parts: images have megabytes, and other tasks go on in between.
                data = body if len(body) < _LARGE_BODY else BytesIO(body)
                response = await self._session.post(url, data=data, headers=headers, allow_redirects=False)
                with _closed_on_error(response):
                    if not self._turn_budget.take():  # thousands of answers may begin in the same moment
                        await self._turn_budget.next_turn()
                    await check_status(response)
                    begun = await received(response.content)
        except aiohttp.ClientError as error:
            raise connection_failure(error) from error
        except TimeoutError:
            raise Failure(f"sent nothing for {self._upstream.first_token_timeout:g} s") from None
        except OSError as error:
            raise connection_failure(error) from error
        answer = Answer(
            response,
            token_timeout=self._upstream.token_timeout,
            begin_until=begin_until,
            origin=origin,
            names=frozenset(function.name for function in request.functions),
            thinks=self._upstream.opens_thinking,
            budget=self._budget,
        )
        with _closed_on_error(answer):
            batches = answer.batches(begun)
            try:
                return answer, await anext(batches), batches
            except TimeoutError:
                limit = self._upstream.first_token_timeout
                raise Failure(f"sent no part of an answer for {limit:g} s, only comments") from None

    def _origin(self, request: ModelRequest) -> str:
        """Names the model and its server, in state that goes back to no other."""
        return f"{request.model} at {self._endpoints.shown(request.model)}"

    def _with_state(self, request: ModelRequest, origin: str) -> ModelRequest:
        """The request with the state of earlier turns in its messages; itself if there is none for `origin`."""
        messages = with_state(request.messages, {} if origin in self._stateless else request.carried, origin)
        changed = any(one is not other for one, other in zip(messages, request.messages, strict=True))
        return replace(request, messages=messages) if changed else request

    def _log_retry(self, failure: Failure, retry: int, wait: float, run_id: str | None) -> None:
        name, reason = self._upstream.name, failure.message(self._mask)
        _log.warning(
            "The model server '%s' %s; retry %d of %d in %.1f s",
            name, reason, retry + 1, self._upstream.max_retries, wait,
            extra={"run_id": run_id, "upstream": name, "status": failure.status, "wait": wait},
        )  # fmt: skip

    def _log_without_state(self, failure: Failure, run_id: str | None) -> None:
        name, reason = self._upstream.name, failure.message(self._mask)
        _log.warning(
            "The model server '%s' %s; tried again without the state of earlier turns",
            name, reason,
            extra={"run_id": run_id, "upstream": name, "status": failure.status},
        )  # fmt: skip

    @property
    def _session(self) -> aiohttp.ClientSession:
        if self._open_session is None:
            raise Closed(f"The model server '{self._upstream.name}' is not started, or was stopped.")
        return self._open_session


def _with_remedy(error: ModelError, remedy: str) -> ModelError:
    return ModelError(error.message + remedy, error.code) if remedy else error


@contextmanager
def _closed_on_error(connection: aiohttp.ClientResponse | Answer) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise
