"""Every answer of the tables is played to the client over a real socket."""

import asyncio

import pytest
from msgspec.structs import replace

from runstead.domain.model_call import Piece
from runstead.llm.openai_chat.answer import answer_stream
from runstead.llm.port import ModelError
from runstead.wire.tool import Function
from tests.llm.fake_upstream import Answer, Exchange, head
from tests.llm.openai_chat.client import REQUEST, said, world
from tests.llm.openai_chat.conformance import calls_table, errors_table, stream_table, text_table
from tests.llm.openai_chat.conformance.case import Body, Case, Fails, Right, Then, right_of

TABLES = [*errors_table.CASES, *text_table.CASES, *calls_table.CASES, *stream_table.CASES]
PLAYED = [
    pytest.param(case, body, id=f"{case.name}{'' if body.streamed else ' (unstreamed)'}")
    for case in TABLES
    for body in case.bodies
]
COMMENTS = 10_000
ASKING = replace(REQUEST, functions=[Function(name=name) for name in ("f", "g", "get_weather", "get_weather_of")])


def playing(body: Body, then: Then) -> Answer:
    async def play(exchange: Exchange) -> None:
        if not body.streamed:
            lines = {"Content-Type": "application/json", "Content-Length": str(len(body.data))}
            await exchange.send(head(200, lines) + body.data)
            return
        await exchange.begin()
        await exchange.piece(body.data)
        match then:
            case "end":
                await exchange.end()
            case "cut":
                exchange.cut()
            case "silence":
                await exchange.left()
            case "comments":
                for _ in range(COMMENTS):
                    await exchange.piece(b": working\n\n")

    return play


def test_every_case_has_a_name_of_its_own() -> None:
    names = [case.name for case in TABLES]
    assert len(names) == len(set(names)) > 100


@pytest.mark.parametrize(("case", "body"), PLAYED)
async def test_the_answer_is_read_right(case: Case, body: Body, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_stream, "_REST_TIMEOUT", 0.05)
    pieces: list[Piece] = []
    error: ModelError | None = None
    async with world(playing(body, case.then), token_timeout=5.0) as (model, _, _), asyncio.timeout(20):
        try:
            async with model.reply(ASKING) as batches:
                async for batch in batches:
                    pieces += batch
        except ModelError as failed:
            error = failed
    match case.right:
        case Fails() as wrong:
            assert error is not None, right_of(pieces, ())
            assert wrong.words in error.message
            assert (said(pieces), error.code, error.rate_limited) == (wrong.said, wrong.code, wrong.rate_limited)
        case Right() as right:
            assert error is None, str(error)
            assert right_of(pieces, [id for id, _, _ in right.calls]) == right
