"""Model servers that refuse a field, in the words that they use: the call is sent again without it."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from runstead.domain.model_call import ModelRequest
from runstead.llm.openai_chat.client import OpenAIChat
from runstead.llm.openai_chat.request.adjustment import Adjustment, Adjustments
from runstead.llm.port import ModelError
from runstead.wire.options import ObjectFormat
from runstead.wire.tool import Function
from tests.llm.fake_upstream import Answer, Exchange, plain, refused, stream, text
from tests.llm.openai_chat.client import REQUEST, ask, failure, said, world
from tests.llm.openai_chat.wordings import WORDINGS, Wording, forbidden, hosted, unsupported

TOOL = Function(name="weather")
ALL = replace(
    REQUEST, functions=[TOOL], temperature=0.2, top_p=0.9, reasoning_effort="low", parallel_tool_calls=False,
    max_completion_tokens=50,
)  # fmt: skip
"""A request for which everything was chosen."""


def refusing(wording: Wording) -> Answer:
    """A server that refuses the fields, and answers in one piece what is not to be streamed."""

    async def answer(exchange: Exchange) -> None:
        if all(name in exchange.json for name in wording.fields):
            await refused(wording.status, wording.body)(exchange)
        elif "stream" in exchange.json:
            await text("Fine.")(exchange)
        else:
            await plain({"choices": [{"message": {"content": "Fine."}, "finish_reason": "stop"}]})(exchange)

    return answer


def bodies(exchanges: Sequence[Exchange]) -> list[Any]:
    return [exchange.json for exchange in exchanges]


@pytest.mark.parametrize("wording", WORDINGS, ids=lambda wording: wording.server)
async def test_a_refused_field_is_left_out(wording: Wording, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "runstead.llm"):
        async with world(refusing(wording)) as (model, upstream, waits):
            assert said(await ask(model, ALL)) == "Fine."
            assert said(await ask(model, ALL)) == "Fine."
    first, second, third = bodies(upstream.exchanges)
    assert second == {name: value for name, value in first.items() if name not in wording.left_out}
    assert third == second
    assert waits.all == []
    logged = {vars(record)["field"] for record in caplog.records}
    assert logged == set(wording.left_out) - ({"stream_options"} if "stream" in wording.left_out else set())
    assert len(caplog.records) == len(logged)


async def test_the_log_names_the_server_the_field_and_the_model(caplog: pytest.LogCaptureFixture) -> None:
    def either(exchange: Exchange) -> Any:
        name = next((name for name in ("stream_options", "top_p") if name in exchange.json), None)
        return refused(400, unsupported(name)) if name else text("Fine.")

    async def answer(exchange: Exchange) -> None:
        await either(exchange)(exchange)

    with caplog.at_level(logging.INFO, "runstead.llm"):
        async with world(answer) as (model, _, _):
            await ask(model, ALL)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "The model server 'main' refuses `stream_options` for the model 'm': it is left out"),
        ("WARNING", "The model server 'main' refuses `top_p` for the model 'm': it is left out"),
    ]
    assert {name: vars(caplog.records[1])[name] for name in ("run_id", "upstream", "model", "field")} == {
        "run_id": "run_1",
        "upstream": "main",
        "model": "m",
        "field": "top_p",
    }


def asked_of(exchanges: Sequence[Exchange], name: str) -> list[Any]:
    return [exchange.json.get(name) for exchange in exchanges]


async def ask_each(model: OpenAIChat, *requests: ModelRequest) -> None:
    for request in requests:
        await ask(model, request)


async def test_a_refusal_is_remembered_for_its_model() -> None:
    async with world(refusing(WORDINGS[7])) as (model, upstream, _):
        await ask_each(model, REQUEST, REQUEST, replace(REQUEST, model="other"), replace(REQUEST, temperature=0.5))
    assert ["stream_options" in each.json for each in upstream.exchanges] == [True, False, False, True, False, False]


async def test_a_refused_sampling_is_remembered_for_its_values() -> None:
    sampling = {"temperature": 0.2, "top_p": 0.9}
    async with world(refusing(WORDINGS[9])) as (model, upstream, _):
        await ask_each(model, replace(REQUEST, **sampling), replace(REQUEST, top_p=0.9), replace(REQUEST, **sampling))
    assert asked_of(upstream.exchanges, "temperature") == [0.2, 0.2, None, 0.2]
    assert asked_of(upstream.exchanges, "top_p") == [0.9, None, 0.9, None]


async def test_nothing_is_remembered_of_a_call_that_fails_all_the_same() -> None:
    nonsense = refused(400, hosted("Your stream_options and temperature look odd.", None, None))
    async with world(nonsense, nonsense, text("Fine.")) as (model, upstream, _):
        assert "look odd" in (await failure(model)).message
        await ask(model)
    first, second, third = bodies(upstream.exchanges)
    assert second == {name: value for name, value in first.items() if name != "stream_options"}
    assert third == first


async def test_every_field_is_left_out_once_at_most() -> None:
    names = ("stream_options", "parallel_tool_calls", "top_p", "temperature", "reasoning_effort", "stream")
    refusal = refused(400, {"error": f"Not: {', '.join(names)}"})
    async with world(refusal) as (model, upstream, _), model.reply(ALL) as batches:
        with pytest.raises(ModelError, match="400 Bad Request: Not: "):
            await anext(batches)
    assert len(upstream.exchanges) == len(names) + 1


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "The temperature of your messages is too high.", "param": "messages"}},
        {"detail": forbidden("messages", 0, "name")},
        {"error": {"message": "Too long."}},
        b"",
    ],
)
async def test_a_refusal_of_something_else_is_not_asked_again(body: Any) -> None:
    async with world(refused(400, body)) as (model, upstream, _), model.reply(ALL) as batches:
        with pytest.raises(ModelError, match="400"):
            await anext(batches)
    assert len(upstream.exchanges) == 1


@pytest.mark.parametrize("status", [401, 403, 404, 413])
async def test_only_a_refused_request_is_asked_again(status: int) -> None:
    async with world(refused(status, unsupported("stream_options"))) as (model, upstream, _):
        await failure(model)
    assert len(upstream.exchanges) == 1


async def test_a_refusal_inside_an_answer_counts_too() -> None:
    error = {"error": {"message": "Unknown parameter: 'top_p'.", "code": 400}}
    async with world(stream(error), text("Fine.")) as (model, upstream, _):
        assert said(await ask(model, ALL)) == "Fine."
    assert asked_of(upstream.exchanges, "top_p") == [0.9, None]


async def test_a_refusal_inside_an_answer_names_its_field_by_position_too() -> None:
    error = {"error": {"message": "Not supported by this model.", "param": "top_p", "code": 400}}
    async with world(stream(error), text("Fine.")) as (model, upstream, _):
        assert said(await ask(model, ALL)) == "Fine."
    assert asked_of(upstream.exchanges, "top_p") == [0.9, None]


BAD = "litellm.BadRequestError: OpenAIException - Unsupported parameter: 'top_p' is not supported with this model."
RAW = f'{{"error":{{"message":"{BAD}"}}}}'
WRAPPED = [
    (500, {"error": {"message": BAD, "type": None, "param": None, "code": "400"}}),
    (500, {"error": {"message": BAD, "code": "500"}}),
    (502, {"error": {"message": "upstream error", "code": 502, "metadata": {"raw": RAW}}}),
    (424, {"error": {"message": f'{{"error":{{"message":"{BAD}","code":400}}}}', "code": 424}}),
    (503, {"detail": f"Error code: 400 - {{'error': {{'message': \"{BAD}\"}}}}"}),
    (500, b"ValidationException: 1 validation error: top_p: extra fields not permitted"),
    (400, {"error": {"message": "Provider returned error", "metadata": {"raw": f"data: {RAW}"}}}),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body"), WRAPPED)
async def test_a_refusal_inside_the_error_of_a_gateway_counts_too(status: int, body: Any) -> None:
    async with world(refusing(Wording("", body, ("top_p",), ("top_p",), status))) as (model, upstream, waits):
        assert said(await ask(model, ALL)) == "Fine."
    assert asked_of(upstream.exchanges, "top_p") == [0.9, None]
    assert waits.all == []


async def test_the_failure_of_a_server_that_mentions_a_field_is_no_refusal() -> None:
    async with world(refused(500, {"error": {"message": "The stream died."}}), max_retries=1) as (model, upstream, _):
        await failure(model)
    assert asked_of(upstream.exchanges, "stream") == [True, True]


OLD = "max_tokens"
NEW = "max_completion_tokens"
INSTEAD = f"Unsupported parameter: '{OLD}' is not supported with this model. Use '{NEW}' instead."


@pytest.mark.parametrize(
    ("settings", "wording", "names"),
    [
        ({}, Wording("", hosted(INSTEAD, OLD, "unsupported_parameter"), (OLD,), ()), (OLD, NEW)),
        ({}, Wording("", {"error": {"message": INSTEAD}}, (OLD,), ()), (OLD, NEW)),
        (
            {"preset": "azure"},
            Wording("", hosted(f"Unrecognized request argument supplied: {NEW}", None, None), (NEW,), ()),
            (NEW, OLD),
        ),
        ({"preset": "openai"}, Wording("", {"message": {"detail": forbidden(NEW)}}, (NEW,), (), 422), (NEW, OLD)),
    ],
)
async def test_the_other_name_of_the_token_limit_is_tried(
    settings: dict[str, Any], wording: Wording, names: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "runstead.llm"):
        async with world(refusing(wording), **settings) as (model, upstream, _):
            await ask_each(model, ALL, ALL)
    limits = [{name: each.json[name] for name in (OLD, NEW) if name in each.json} for each in upstream.exchanges]
    assert limits == [{names[0]: 50}, {names[1]: 50}, {names[1]: 50}]
    [record] = caplog.records
    assert record.getMessage().endswith(f"refuses `{names[0]}` for the model 'm': `{names[1]}` is sent instead")


async def test_a_token_limit_that_is_too_large_is_not_renamed() -> None:
    body = {"error": {"message": "'max_tokens' or 'max_completion_tokens' is too large: 50. Unsupported.", "code": 400}}
    async with world(refused(400, body)) as (model, upstream, _), model.reply(ALL) as batches:
        with pytest.raises(ModelError, match="is too large"):
            await anext(batches)
    assert len(upstream.exchanges) == 1


@pytest.mark.parametrize(
    ("body", "settings", "end"),
    [
        (
            hosted("Invalid schema for response_format 'a': 'b' is required.", "response_format", None),
            {},
            "is required.",
        ),
        (
            hosted("Extra inputs are not permitted", "tool_choice", None),
            {},
            "not permitted (to send no `tool_choice`, add it to `leave_out` of this [[upstream]])",
        ),
        (
            {"error": {"message": "This response_format type is unavailable now."}},
            {},
            "unavailable now. (to send no `response_format`, add it to `leave_out` of this [[upstream]])",
        ),
        (
            {"error": {"message": "Unknown name: top_k"}},
            {"add": {"top_k": 4}},
            "Unknown name: top_k (`top_k` is in `add` of this [[upstream]])",
        ),
        (
            {"detail": forbidden("tools", 0, "function", "strict"), "message": "Unknown name strict at tools[0]."},
            {},
            "(to send no `strict`, add it to `leave_out` of this [[upstream]])",
        ),
        (
            hosted("Unsupported.", "seed", "unsupported_parameter"),
            {"add": {"seed": 4}},
            "Unsupported. (unsupported_parameter) (`seed` is in `add` of this [[upstream]])",
        ),
    ],
)
async def test_a_field_that_matters_fails_the_call_and_the_error_names_the_remedy(
    body: Any, settings: dict[str, Any], end: str
) -> None:
    functions = [Function(name="weather", strict=True)]
    request = replace(ALL, functions=functions, response_format=ObjectFormat(), tool_choice="required")
    async with world(refused(400, body), **settings) as (model, upstream, _), model.reply(request) as batches:
        with pytest.raises(ModelError, match="400 Bad Request") as raised:
            await anext(batches)
    assert str(raised.value).endswith(end)
    assert len(upstream.exchanges) == 1


async def test_a_field_that_is_added_too_is_left_out_once() -> None:
    async with world(refused(400, unsupported("top_p")), add={"top_p": 0.5}) as (model, upstream, _):
        with pytest.raises(ModelError, match="is in `add` of this"):
            await ask(model, ALL)
    assert asked_of(upstream.exchanges, "top_p") == [0.9, 0.5]


async def test_a_renamed_field_is_known_by_its_name_at_the_server() -> None:
    wording = Wording("", {"error": "unknown field temp"}, ("temp",), ("temp",))
    async with world(refusing(wording), rename={"temperature": "temp"}) as (model, upstream, _):
        await ask(model, ALL)
    assert asked_of(upstream.exchanges, "temp") == [0.2, None]


async def test_calls_at_the_same_time_forget_nothing_of_each_other() -> None:
    async def answer(exchange: Exchange) -> None:
        name = next((name for name in ("stream_options", "parallel_tool_calls") if name in exchange.json), None)
        await (refused(400, unsupported(name)) if name else text("Fine."))(exchange)

    async with world(answer) as (model, upstream, _):
        await asyncio.gather(ask(model, REQUEST), ask(model, ALL))
        before = len(upstream.exchanges)
        await ask_each(model, REQUEST, ALL)
    assert len(upstream.exchanges) == before + 2


def test_the_memory_is_limited() -> None:
    known, refused_by_model = Adjustments(), Adjustment(frozenset({"stream_options"}))
    for number in range(1001):
        known.remember(replace(REQUEST, model=f"m{number}"), refused_by_model)
    assert known.of(replace(REQUEST, model="m0")) == Adjustment()
    assert known.of(replace(REQUEST, model="m1")) == known.of(replace(REQUEST, model="m1000")) == refused_by_model
