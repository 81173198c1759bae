"""The answers of all model servers together have a limit. Over it, a call fails as rate limited."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from runstead.llm.openai_chat.answer.answer_budget import FREE, AnswerBudget
from runstead.llm.openai_chat.client import OpenAIChat
from runstead.llm.openai_chat.upstream import Upstream
from tests.llm.fake_upstream import Answer, Exchange, chunk, fake_upstream, sse, text
from tests.llm.openai_chat.client import ask, failure, said
from tests.support.waiting import until

TOTAL = 2**20
PIECE = "x" * 2**12
MOST = TOTAL * 7 // 8
FULL = "the answers that this process is receiving have 1048576 characters together (answers_limit)"


def call(arguments: str) -> dict[str, Any]:
    return {"tool_calls": [{"index": 0, "id": "call_1", "function": {"name": "f", "arguments": arguments}}]}


def stream_of(delta: Mapping[str, Any], size: int = MOST) -> bytes:
    return sse(chunk({"content": "a"}), *[chunk(delta)] * (size // len(PIECE)))


KEPT = {
    "text": stream_of({"content": PIECE}),
    "thinking": stream_of({"reasoning_content": PIECE}),
    "arguments": stream_of(call(PIECE)),
    "a line without an end": b"data: {" + b"x" * MOST,
    "an event without an end": b"data: {\n" + b"data: %b\n" % PIECE.encode() * (MOST // len(PIECE)),
    "a document without an end": b'{"choices": [' + b" " * MOST,
}


def open_answer(data: bytes) -> Answer:
    """An answer that begins so, and stays open."""

    async def answer(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.piece(data)
        await exchange.left()

    return answer


@asynccontextmanager
async def models(budget: AnswerBudget, *servers: Sequence[Answer]) -> AsyncIterator[list[OpenAIChat]]:
    """A model for each of the servers, with one budget."""
    if not servers:
        yield []
        return
    async with fake_upstream(*servers[0]) as upstream, models(budget, *servers[1:]) as others:
        model = OpenAIChat(Upstream(url=upstream.url, name="main"), budget=budget)
        await model.start()
        try:
            yield [model, *others]
        finally:
            await model.stop()


@asynccontextmanager
async def reading(model: OpenAIChat) -> AsyncIterator[None]:
    """An answer is being read, until the end."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(ask(model))
        yield
        task.cancel()


@pytest.mark.parametrize("kind", KEPT)
async def test_no_answer_begins_while_others_have_most_of_the_budget(kind: str) -> None:
    budget = AnswerBudget(TOTAL)
    async with models(budget, [open_answer(KEPT[kind])], [text("Hello")]) as (first, second):
        async with reading(first):
            await until(lambda: budget.held > MOST - FREE)
            refused = await failure(second)
            assert refused.message == f"The model server 'main' was not asked: {FULL}"
            assert (refused.code, refused.rate_limited, refused.retry_after) == ("rate_limit_exceeded", True, None)
        assert budget.held == 0
        assert said(await ask(second)) == "Hello"


async def test_an_answer_over_the_budget_ends_as_rate_limited(caplog: pytest.LogCaptureFixture) -> None:
    """It is not asked again at once, and the log has one line for the outage and one for its end."""
    caplog.set_level(logging.WARNING, "runstead.llm")
    budget = AnswerBudget(TOTAL)
    half, rest = stream_of({"content": PIECE}, TOTAL * 5 // 8), stream_of({"content": PIECE}, TOTAL)
    async with models(budget, [open_answer(half)], [open_answer(rest)]) as (first, second):
        async with reading(first):
            await until(lambda: budget.held > TOTAL // 2)
            for _ in range(3):
                interrupted = await failure(second)
                assert interrupted.message == f"The model server 'main' was interrupted in its answer: {FULL}"
                assert interrupted.rate_limited
        assert budget.held == 0
    assert [record.message for record in caplog.records] == [
        "the answers of models have reached answers_limit: runs are delayed until others have ended",
        "half of answers_limit is free again",
    ]


async def test_ordinary_answers_do_not_count() -> None:
    budget = AnswerBudget(1)
    async with models(budget, [text("x" * (FREE - 10))]) as (model,):
        assert len(said(await ask(model))) == FREE - 10
