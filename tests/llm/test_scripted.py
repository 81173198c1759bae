"""The scripted model follows its script and records its requests."""

import asyncio
import threading
from itertools import repeat
from pathlib import Path

import msgspec
import pytest

from runstead.domain.model_call import (
    Finish,
    ModelRequest,
    Piece,
    RefusalPiece,
    TextPiece,
    ToolCallPiece,
    UsagePiece,
)
from runstead.llm.port import ModelError
from runstead.llm.scripted import (
    Gate,
    Script,
    ScriptedModel,
    Signal,
    Turn,
    call,
    fail,
    finish,
    load_scripted_model,
    refuse,
    say,
    usage,
    wait,
    words,
)
from runstead.wire.error import RunsteadError
from runstead.wire.run import Usage
from runstead.wire.tool import Function

HI = ModelRequest(model="m", messages=[{"role": "user", "content": "Hi there"}])


async def ask(model: ScriptedModel, request: ModelRequest = HI) -> list[Piece]:
    async with asyncio.timeout(20), model.reply(request) as batches:
        return [piece async for batch in batches for piece in batch]


async def answers(turn: Turn, request: ModelRequest = HI) -> list[Piece]:
    return await ask(ScriptedModel([turn]), request)


def ended(reason: str, completion: int) -> list[Piece]:
    counted = Usage(prompt_tokens=2, completion_tokens=completion, total_tokens=2 + completion)
    return [Finish(reason), UsagePiece(counted)]  # type: ignore[arg-type]


@pytest.mark.parametrize("turn", ["Hello world", say("Hello world"), [say("Hello", " world")]])
async def test_a_text_is_streamed_word_by_word(turn: Turn) -> None:
    assert await answers(turn) == [TextPiece("Hello"), TextPiece(" world"), *ended("stop", 2)]


@pytest.mark.parametrize("text", ["", " ", "a", " a b\n\nc  ", "one two"])
def test_the_words_of_a_text_joined_are_the_text(text: str) -> None:
    assert "".join(words(text)) == text


async def test_calls_are_parallel_and_streamed_in_pieces() -> None:
    pieces = await answers([say("Wait."), call("weather", city="Oslo"), call("time", "not json")])
    calls = [piece for piece in pieces if isinstance(piece, ToolCallPiece)]
    assert pieces[0] == TextPiece("Wait.")
    assert [(piece.index, piece.name) for piece in calls if piece.name] == [(0, "weather"), (1, "time")]
    assert len({piece.id for piece in calls if piece.id}) == 2
    assert "".join(piece.arguments for piece in calls if piece.index == 0) == '{"city":"Oslo"}'
    assert "".join(piece.arguments for piece in calls if piece.index == 1) == "not json"
    assert Finish("tool_calls") in pieces


async def test_a_refusal_is_streamed_as_refusal_pieces() -> None:
    assert (await answers(refuse("I won't")))[:2] == [RefusalPiece("I"), RefusalPiece(" won't")]


async def test_a_failure_is_raised_after_the_acts_before_it() -> None:
    model = ScriptedModel([["Well", fail("Broken.", "rate_limit_exceeded")]])
    async with model.reply(HI) as batches:
        assert await anext(batches) == [TextPiece("Well")]
        with pytest.raises(ModelError, match=r"Broken\.") as failed:
            await anext(batches)
    assert failed.value.code == "rate_limit_exceeded"
    assert not model.closed


async def test_a_script_can_set_finish_reason_and_usage() -> None:
    pieces = await answers(["a", finish("content_filter"), usage(10, 5, cached=4)])
    assert pieces[1] == Finish("content_filter")
    assert isinstance(pieces[2], UsagePiece)
    reported = pieces[2].usage
    assert (reported.prompt_tokens, reported.completion_tokens, reported.total_tokens) == (10, 5, 15)
    assert reported.prompt_token_details.cached_tokens == 4


async def test_the_token_limit_cuts_the_answer() -> None:
    request = msgspec.structs.replace(HI, max_completion_tokens=2)
    assert await answers("a b c", request) == [TextPiece("a"), TextPiece(" b"), *ended("length", 2)]
    assert await answers("a b", request) == [TextPiece("a"), TextPiece(" b"), *ended("stop", 2)]


async def test_each_call_gets_the_next_turn_until_the_script_ends() -> None:
    model = ScriptedModel(["one", "two"])
    assert [(await ask(model))[0] for _ in range(2)] == [TextPiece("one"), TextPiece("two")]
    with pytest.raises(ModelError, match="The script is at its end"):
        await ask(model)
    assert len(model.requests) == 3


async def test_a_script_can_be_endless() -> None:
    model = ScriptedModel(repeat("again"))
    assert {(await ask(model))[0] for _ in range(5)} == {TextPiece("again")}


async def test_a_script_can_read_the_request() -> None:
    script: Script = lambda request: f"{request.model} {len(request.messages)}"  # noqa: E731 as a user would write it
    assert (await ask(ScriptedModel(script)))[0] == TextPiece("m")


async def test_a_gate_pauses_the_model_until_it_is_opened() -> None:
    gate, received = Gate(), list[Piece]()
    model = ScriptedModel([["one", gate, "two"]])

    async def read() -> None:
        async with model.reply(HI) as batches:
            async for batch in batches:
                received.extend(batch)

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(read())
        await gate.reached.wait()
        assert received == [TextPiece("one")]
        gate.open()
    assert received[:2] == [TextPiece("one"), TextPiece("two")]
    assert not model.closed


async def test_a_cancelled_answer_sets_closed() -> None:
    gate = Gate()
    model = ScriptedModel([["one", gate, "two"]])
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        task = group.create_task(ask(model))
        await gate.reached.wait()
        task.cancel()
        await model.closed.wait()


async def test_an_answer_closed_between_batches_sets_closed() -> None:
    model = ScriptedModel(["one two"])
    async with model.reply(HI) as batches:
        await anext(batches)
    assert model.closed


async def test_a_signal_crosses_threads() -> None:
    there, back = Signal(), Signal()

    def other() -> None:
        assert there.wait_blocking(20)
        back.set()

    thread = threading.Thread(target=other)
    thread.start()
    model = ScriptedModel([["one", wait(back)]])
    async with asyncio.timeout(20), model.reply(HI) as batches:
        await anext(batches)
        there.set()
        assert [batch async for batch in batches]
    thread.join(20)
    assert back
    await back.wait()


async def test_without_a_file_the_users_message_is_repeated() -> None:
    assert (await ask(load_scripted_model()))[:4] == [TextPiece(word) for word in ("You", " said:", " Hi", " there")]


SCRIPT = """
[[answer]]
when = "weather"
call.get_weather = { city = "Oslo" }
say = "They say: {output}"
"""


async def test_a_script_file_calls_a_function_and_then_answers(tmp_path: Path) -> None:
    path = tmp_path / "script.toml"
    path.write_text(SCRIPT)
    model = load_scripted_model(path)
    question = {"role": "user", "content": [{"type": "text", "text": "The Weather?"}]}
    output = {"role": "tool", "tool_call_id": "call_1", "content": "sunny"}
    functions = [Function(name="get_weather")]
    first = await ask(model, ModelRequest(model="m", messages=[question], functions=functions))
    then = await ask(model, ModelRequest(model="m", messages=[question, output], functions=functions))
    without = await ask(model, ModelRequest(model="m", messages=[question]))
    assert "".join(piece.arguments for piece in first if isinstance(piece, ToolCallPiece)) == '{"city":"Oslo"}'
    assert "".join(piece.text for piece in then if isinstance(piece, TextPiece)) == "They say: sunny"
    assert "".join(piece.text for piece in without if isinstance(piece, TextPiece)) == "They say: "


async def test_a_script_file_can_be_json(tmp_path: Path) -> None:
    path = tmp_path / "script.json"
    path.write_text('{"answer": [{"say": "Always."}]}')
    assert (await ask(load_scripted_model(path)))[0] == TextPiece("Always.")


@pytest.mark.parametrize("text", ["answer = 1", "= broken", '[[answer]]\nsays = "a"'])
def test_an_invalid_script_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "script.toml"
    path.write_text(text)
    with pytest.raises(RunsteadError, match=r"Cannot read the script .*script\.toml"):
        load_scripted_model(path)
