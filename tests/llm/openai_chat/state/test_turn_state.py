"""State of a turn goes back to the server that gave it: within the run, also after a restart, and nowhere else."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from runstead.domain.model_call import ModelRequest
from runstead.llm.openai_chat.client import OpenAIChat
from runstead.llm.openai_chat.state.turn_state import with_state
from runstead.llm.openai_chat.upstream import Upstream
from runstead.llm.port import ModelError
from tests.llm.fake_upstream import Exchange, chunk, fake_upstream, refused, stream, text
from tests.llm.openai_chat.client import REQUEST, ask, failure, said, world
from tests.support import worlds
from tests.support.worlds import WEATHER

ORIGIN = "m at http://127.0.0.1/v1/chat/completions"
CALL = {"id": "a", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
ASKED = {"role": "assistant", "content": None, "tool_calls": [CALL]}
SIGNED = {**CALL, "extra_content": {"google": {"thought_signature": "S=="}}}
HISTORY = [{"role": "user", "content": "Hi"}, ASKED, {"role": "tool", "tool_call_id": "a", "content": "sunny"}]


def sent(state: dict[str, Any], message: dict[str, Any] = ASKED) -> dict[str, Any]:
    """The message as it goes back with this state."""
    return with_state([message], {0: {"origin": ORIGIN, **state}}, ORIGIN)[0]


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"message": {"reasoning_content": "Hm."}}, {**ASKED, "reasoning_content": "Hm."}),
        ({"message": {"content": "x", "role": "user"}}, ASKED),
        ({"thought": "<think>Hm.</think>"}, {**ASKED, "content": "<think>Hm.</think>"}),
        ({"parts": [{"type": "thinking"}]}, {**ASKED, "content": [{"type": "thinking"}]}),
        ({"calls": {"0": {"extra_content": SIGNED["extra_content"]}}}, {**ASKED, "tool_calls": [SIGNED]}),
        ({"calls": {"1": {"extra_content": 1}}}, ASKED),
    ],
)
def test_state_is_merged_into_its_message(state: dict[str, Any], message: dict[str, Any]) -> None:
    assert sent(state) == message


def test_thinking_stands_before_the_text() -> None:
    spoken = {**ASKED, "content": "Let me see."}
    assert sent({"thought": "<think>Hm.</think>\n"}, spoken)["content"] == "<think>Hm.</think>\nLet me see."
    assert sent({"parts": [{"type": "thinking"}]}, spoken)["content"] == [
        {"type": "thinking"},
        {"type": "text", "text": "Let me see."},
    ]


def test_a_message_without_calls_gets_the_state_of_the_message_alone() -> None:
    state = {"message": {"reasoning_content": "Hm."}, "calls": {"0": {"extra_content": 1}}}
    text_alone = {"role": "assistant", "content": "Hi"}
    assert sent(state, text_alone) == {**text_alone, "reasoning_content": "Hm."}


def test_state_of_a_function_is_merged_into_it() -> None:
    call = sent({"calls": {"0": {"function": {"signature": "S==", "name": "other"}}}})["tool_calls"][0]
    assert call["function"] == {"name": "weather", "arguments": "{}", "signature": "S=="}


@pytest.mark.parametrize("state", [None, 5, "x", [], {}, {"origin": "m at http://127.0.0.2"}, {"message": {"a": 1}}])
def test_state_of_another_server_or_of_none_is_left_out(state: Any) -> None:
    assert with_state([ASKED], {0: state}, ORIGIN) == [ASKED]


def carrying(request: ModelRequest, url: str, model: str = "m") -> ModelRequest:
    state = {"origin": f"{model} at {url}/chat/completions", "message": {"reasoning_content": "Hm."}}
    return replace(request, messages=HISTORY, carried={1: state})


async def test_another_model_of_the_same_server_does_not_get_it() -> None:
    async with world(text("Hi")) as (model, upstream, _):
        await ask(model, carrying(REQUEST, upstream.url))
        await ask(model, carrying(REQUEST, upstream.url, "other"))
        await ask(model, carrying(REQUEST, "http://127.0.0.2/v1"))
    messages = [exchange.json["messages"][1] for exchange in upstream.exchanges]
    assert messages == [{**ASKED, "reasoning_content": "Hm."}, ASKED, ASKED]


async def test_a_server_that_refuses_its_own_state_gets_the_request_without_it() -> None:
    refusal = refused(400, {"error": {"message": "reasoning_content is not allowed here"}})
    async with world(refusal, text("Hi")) as (model, upstream, waits):
        assert said(await ask(model, carrying(REQUEST, upstream.url))) == "Hi"
        assert said(await ask(model, carrying(REQUEST, upstream.url))) == "Hi"
    with_it = ["reasoning_content" in exchange.json["messages"][1] for exchange in upstream.exchanges]
    assert with_it == [True, False, False], "a refusal is remembered"
    assert waits.all == []


async def test_a_refusal_that_names_no_field_of_the_state_is_not_remembered() -> None:
    refusal = refused(400, {"error": {"message": "The prompt is too long."}})
    async with world(refusal, text("Hi"), text("Hi")) as (model, upstream, _):
        for _ in range(2):
            assert said(await ask(model, carrying(REQUEST, upstream.url))) == "Hi"
    with_it = ["reasoning_content" in exchange.json["messages"][1] for exchange in upstream.exchanges]
    assert with_it == [True, False, True]


async def test_a_request_that_is_refused_for_another_reason_fails() -> None:
    async with world(refused(400, {"error": "Too long."})) as (model, upstream, _):
        error = await failure(model)
        with pytest.raises(type(error), match="Too long"):
            await ask(model, carrying(REQUEST, upstream.url))
        assert model._stateless == set()


async def test_the_first_refusal_is_raised_if_the_state_was_not_its_reason() -> None:
    too_long, missing = "The prompt is too long.", "reasoning_content must be passed back."
    answers = [refused(400, {"error": {"message": words}}) for words in (too_long, missing)]
    async with world(*answers) as (model, upstream, _):
        with pytest.raises(ModelError, match=too_long):
            await ask(model, carrying(REQUEST, upstream.url))
        assert len(upstream.exchanges) == 2


async def test_a_refused_field_does_not_cost_the_state() -> None:
    refusal = refused(400, {"error": {"message": "Unsupported parameter: stream_options", "param": "stream_options"}})
    async with world(refusal, text("Hi")) as (model, upstream, _):
        await ask(model, carrying(REQUEST, upstream.url))
    sent = [
        (each.json["messages"][1].get("reasoning_content"), "stream_options" in each.json)
        for each in upstream.exchanges
    ]
    assert sent == [("Hm.", True), ("Hm.", False)]


async def test_a_refused_state_does_not_cost_a_field() -> None:
    words = "messages.1: reasoning_content is not supported, also with stream_options or temperature"
    async with world(refused(400, {"error": {"message": words}}), text("Hi")) as (model, upstream, _):
        await ask(model, carrying(REQUEST, upstream.url))
    sent = [
        ("reasoning_content" in each.json["messages"][1], "stream_options" in each.json) for each in upstream.exchanges
    ]
    assert sent == [(True, True), (False, True)]


def first_asks(*events: dict[str, Any], back: dict[str, Any]) -> Any:
    """A server that asks for a call, and answers 400 if the call's message does not come back with `back`."""

    async def answer(exchange: Exchange) -> None:
        messages = exchange.json["messages"]
        asked = next((each for each in messages if each.get("tool_calls")), None)
        if asked is None:
            await stream(*events, chunk({"tool_calls": [{"index": 0, **CALL}]}, "tool_calls"))(exchange)
        elif all(asked.get(name) == value for name, value in back.items()):
            await text("Sunny.")(exchange)
        else:
            await refused(400, {"error": {"message": "It must be passed back."}})(exchange)

    return answer


@pytest.mark.parametrize("restart", [False, True])
async def test_a_run_brings_its_state_back(restart: bool, tmp_path: Path) -> None:
    thinking = [chunk({"reasoning_content": "I need "}), chunk({"reasoning_content": "weather."})]
    server = first_asks(*thinking, back={"reasoning_content": "I need weather."})
    async with fake_upstream(server) as upstream:

        def model() -> OpenAIChat:
            return OpenAIChat(Upstream(url=upstream.url))

        async with worlds.world(model=model(), path=tmp_path / "rs.db") as here:
            run = await here.ended(await here.start(tools=[WEATHER]))
            assert run.status == "requires_action"
            if not restart:
                await here.submit(run)
                assert (await here.ended(run)).status == "completed"
        async with worlds.world(model=model(), path=tmp_path / "rs.db") as here:
            if restart:
                await here.submit(run)
                assert (await here.ended(run)).status == "completed"
            await here.ended(await here.again(run))
        last = upstream.exchanges[-1].json["messages"]
    assert [each["content"] for each in last] == ["Hello", "Sunny."], "a later run sees the message alone"
    assert "reasoning_content" not in str(last)
