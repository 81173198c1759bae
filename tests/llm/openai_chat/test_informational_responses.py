"""Informational responses before an answer: some are ignored, and a flood of them ends the call."""

import asyncio
from collections.abc import Iterator

import pytest
import uvloop

from runstead.informational_responses import MAX_INFORMATIONAL
from tests.llm.fake_upstream import Answer, Exchange, text
from tests.llm.openai_chat.client import ask, failure, said, world

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nX: HTTP/1.1 200\r\n\r\n"


ONE_BYTE_EACH = tuple(HINTS[place : place + 1] for place in range(len(HINTS)))
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
WORDS = ("HTTP/1.1 100\n" * 200, "HTTP/1.1 200")


@pytest.fixture(params=LOOPS)
def runner(request: pytest.FixtureRequest) -> Iterator[asyncio.Runner]:
    """Both loops have transports of their own."""
    with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
        yield runner


def after(*parts: bytes) -> Answer:
    """An answer of two words behind these bytes, each of which is read alone."""

    async def answer(exchange: Exchange) -> None:
        for part in parts:
            await exchange.send(part)
            await asyncio.sleep(0)
        await text(*WORDS)(exchange)

    return answer


@pytest.mark.parametrize(
    "parts", [(), (CONTINUE,), (CONTINUE * MAX_INFORMATIONAL,), (HINTS * 50, CONTINUE * 50), ONE_BYTE_EACH]
)
def test_an_answer_behind_some_of_them_is_read(parts: tuple[bytes, ...], runner: asyncio.Runner) -> None:
    """On a connection that is used again too, and whatever the answer's text is."""

    async def read() -> None:
        async with world(after(*parts)) as (model, upstream, _):
            for _ in range(2):
                assert said(await ask(model)) == "".join(WORDS)
            assert upstream.connections == 1

    runner.run(read())


@pytest.mark.parametrize("flood", [CONTINUE * 50, HINTS * 50, b"HTTP/1.1 102 P\r\nX: " + b"x" * 4000 + b"\r\n\r\n"])
def test_a_flood_of_them_ends_the_call(flood: bytes, runner: asyncio.Runner) -> None:
    async def answer(exchange: Exchange) -> None:
        while True:
            await exchange.send(flood)

    async def fail() -> None:
        async with world(answer, max_retries=1) as (model, upstream, _):
            error = await failure(model)
        assert error.message == (
            "The model server 'main' gave no answer: it sent more than 100 informational responses (2 attempts)"
        )
        assert upstream.connections == 2

    runner.run(fail())
