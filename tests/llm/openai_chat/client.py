"""A client with a fake upstream, and short calls for tests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from runstead.domain.model_call import ModelRequest, Piece, TextPiece
from runstead.llm.openai_chat.client import OpenAIChat
from runstead.llm.openai_chat.upstream import Upstream
from runstead.llm.port import ModelError
from runstead.model_server.retry import Backoff
from tests.llm.fake_upstream import Answer, Exchange, FakeUpstream, fake_upstream

__all__ = ["KEY", "REQUEST", "Waits", "ask", "cut_at_once", "failure", "hang", "said", "world"]

REQUEST = ModelRequest(model="m", messages=[{"role": "user", "content": "Hi"}], run_id="run_1")
KEY = "sk-secret-key-1234"


class Waits:
    """Records the waits before retries without waiting."""

    def __init__(self) -> None:
        self.all: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.all.append(seconds)


@asynccontextmanager
async def world(*answers: Answer, **settings: Any) -> AsyncIterator[tuple[OpenAIChat, FakeUpstream, Waits]]:
    async with fake_upstream(*answers) as upstream:
        waits = Waits()
        model = OpenAIChat(
            Upstream(**{"url": upstream.url, "name": "main", "key": KEY, **settings}),
            backoff=Backoff(jitter=lambda: 1.0),
            sleep=waits,
        )
        await model.start()
        try:
            yield model, upstream, waits
        finally:
            await model.stop()


async def ask(model: OpenAIChat, request: ModelRequest = REQUEST) -> list[Piece]:
    async with asyncio.timeout(20), model.reply(request) as batches:
        return [piece async for batch in batches for piece in batch]


async def failure(model: OpenAIChat) -> ModelError:
    with pytest.raises(ModelError) as raised:
        await ask(model)
    return raised.value


def said(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, TextPiece))


async def hang(exchange: Exchange) -> None:
    await exchange.left()


async def cut_at_once(exchange: Exchange) -> None:
    exchange.cut()
