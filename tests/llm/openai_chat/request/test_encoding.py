"""The fields of a chat completions request."""

from typing import Any

import msgspec
import pytest

from runstead.domain.model_call import ModelRequest
from runstead.llm.openai_chat.request.encoding import request_fields
from runstead.wire.options import JsonSchema, JsonSchemaFormat, ObjectFormat
from runstead.wire.tool import Function, FunctionName, NamedToolChoice, ToolChoice

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = Function(name="get_weather", description="The weather", parameters=SCHEMA, strict=True)
PING = Function(name="ping")


def body(**options: Any) -> Any:
    request = ModelRequest(model="m", messages=[{"role": "user", "content": "Hi"}], run_id="run_1", **options)
    return msgspec.json.decode(msgspec.json.encode(request_fields(request)))


def test_options_that_are_not_set_are_not_sent() -> None:
    assert body() == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_options_that_are_set_are_sent() -> None:
    sent = body(temperature=0.0, top_p=0.5, reasoning_effort="low", response_format=ObjectFormat())
    assert {name: sent[name] for name in ("temperature", "top_p", "reasoning_effort", "response_format")} == {
        "temperature": 0.0,
        "top_p": 0.5,
        "reasoning_effort": "low",
        "response_format": {"type": "json_object"},
    }


def test_a_schema_is_sent_unchanged() -> None:
    wanted = JsonSchemaFormat(json_schema=JsonSchema(name="a", schema=SCHEMA, strict=True))
    assert body(response_format=wanted)["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "a", "schema": SCHEMA, "strict": True},
    }


def test_functions_are_sent_as_tools() -> None:
    sent = body(functions=[WEATHER, PING], parallel_tool_calls=False)
    assert sent["tools"] == [
        {
            "type": "function",
            "function": {"name": "get_weather", "description": "The weather", "parameters": SCHEMA, "strict": True},
        },
        {"type": "function", "function": {"name": "ping", "parameters": {"type": "object", "properties": {}}}},
    ]
    assert sent.keys() == {"model", "messages", "stream", "stream_options", "tools", "parallel_tool_calls"}
    assert sent["parallel_tool_calls"] is False


@pytest.mark.parametrize("choice", [True, False])
def test_parallel_tool_calls_are_sent_if_they_were_chosen(choice: bool) -> None:
    assert body(functions=[PING], parallel_tool_calls=choice)["parallel_tool_calls"] is choice
    assert "parallel_tool_calls" not in body(functions=[PING])
    assert "parallel_tool_calls" not in body(parallel_tool_calls=choice)


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ("required", "required"),
        (
            NamedToolChoice(type="function", function=FunctionName(name="ping")),
            {"type": "function", "function": {"name": "ping"}},
        ),
        (NamedToolChoice(type="file_search"), {"type": "function", "function": {"name": "file_search"}}),
    ],
)
def test_a_tool_choice_is_sent(choice: ToolChoice, sent: Any) -> None:
    assert body(functions=[PING], tool_choice=choice)["tool_choice"] == sent


def test_tool_choice_none_sends_no_tools() -> None:
    assert body(functions=[PING], tool_choice="none") == body()


def test_the_token_limit_is_sent() -> None:
    assert body(max_completion_tokens=100)["max_tokens"] == 100
