"""An answer that is being received over one connection."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import suppress

import aiohttp

from runstead.domain.model_call import Piece
from runstead.llm.openai_chat.answer.answer_budget import AnswerBudget, AnswerShare
from runstead.llm.openai_chat.answer.answer_reader import AnswerReader
from runstead.llm.openai_chat.answer.idle_timeout import IdleTimeout
from runstead.model_server.failure import Failure

__all__ = ["Answer", "received"]

_REST_TIMEOUT = 2.0
"""Seconds to wait for the usage and the end of an answer after its finish reason. Without them it is whole too."""
_LAST_BYTES_TIMEOUT = 0.25
"""Seconds to wait for the end of the body after `[DONE]`. Reading it lets the connection be reused."""


class Answer:
    """The answer to one request. `origin` names the model and its server, `names` the functions that it may call.

    It must have begun at `begin_until` of the loop's time: comments alone are no answer. What it keeps in memory counts
    in `budget` until it is closed.
    """

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        *,
        token_timeout: float,
        begin_until: float,
        origin: str,
        names: Collection[str],
        thinks: bool,
        budget: AnswerBudget,
    ) -> None:
        self._response = response
        self._content = response.content
        self._share = AnswerShare(budget)
        self._reader = AnswerReader(origin, names=names, thinks=thinks, share=self._share)
        self._begin_until = begin_until
        self._token_timeout = token_timeout
        self._idle_timeout = IdleTimeout(token_timeout, response.close)
        self._rest_until: float | None = None

    async def batches(self, data: bytes) -> AsyncGenerator[Sequence[Piece], None]:
        """The pieces as they are received; `data` are bytes that were read already. Raises `Failure`."""
        while True:
            portions = self._reader.feed(data) if data else self._reader.end()
            for number, pieces in enumerate(portions):
                if number:
                    # A large read takes long to parse. Other tasks run in between.
                    await asyncio.sleep(0)
                if pieces:
                    yield pieces
            if self._reader.done:
                break
            data = await self._receive()
        await self._read_last_bytes()

    def close(self) -> None:
        """Stop reading. This closes the connection, unless the answer was read to its end."""
        self._idle_timeout.stop()
        self._response.close()
        self._share.release()

    async def _receive(self) -> bytes:
        """The next bytes; none at the end of the body."""
        if self._reader.finished:
            return await self._receive_rest()
        if not self._reader.begun:
            async with asyncio.timeout_at(self._begin_until):
                return await self._receive_more()
        return await self._receive_more()

    async def _receive_more(self) -> bytes:
        self._rest_until = None
        self._idle_timeout.begin_read()
        try:
            return await received(self._content)
        except (aiohttp.ClientError, OSError) as error:
            if self._reader.is_whole():
                return b""
            if self._idle_timeout.expired:
                raise Failure(f"sent nothing for {self._token_timeout:g} s in the middle of its answer") from None
            raise Failure("broke off in the middle of its answer", retryable=True) from error
        finally:
            self._idle_timeout.end_read()

    async def _receive_rest(self) -> bytes:
        """The bytes behind the finish reason; none after a while, whatever is sent, or if the connection breaks."""
        now = asyncio.get_running_loop().time()
        if self._rest_until is None:
            self._rest_until = now + _REST_TIMEOUT
        if now >= self._rest_until:
            return b""
        try:
            async with asyncio.timeout_at(self._rest_until):
                return await received(self._content)
        except (TimeoutError, aiohttp.ClientError, OSError):
            return b""

    async def _read_last_bytes(self) -> None:
        with suppress(TimeoutError, aiohttp.ClientError, OSError):
            async with asyncio.timeout(_LAST_BYTES_TIMEOUT):
                while not self._content.at_eof():
                    await self._content.readany()


async def received(content: aiohttp.StreamReader) -> bytes:
    """The next bytes of a body; none at its end. Bytes that came before the connection broke come before its error."""
    try:
        return await content.readany()
    except (aiohttp.ClientError, OSError) as error:
        # The library would leave them unread.
        content.set_exception(None)  # type: ignore[arg-type]
        rest = content.read_nowait()
        content.set_exception(error)
        if not rest:
            raise
        return rest
