"""Every error of an invalid request, with its message."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct, inspect

from runstead.wire.assistant import AssistantRequest
from runstead.wire.codec.request import decode_request, validate
from runstead.wire.endpoints import ENDPOINTS
from runstead.wire.error import BadRequest
from runstead.wire.message import MessageRequest
from runstead.wire.run import RunRequest, ThreadRunRequest, ToolOutputs
from runstead.wire.struct import UNSET, Metadata, Request
from runstead.wire.thread import ThreadRequest

RUN = {"assistant_id": "asst_1"}
MODEL = {"model": "m"}
HELLO = {"role": "user", "content": "Hello"}
BODIES = [endpoint.body for endpoint in ENDPOINTS.values() if endpoint.takes == "json"]
KINDS = "'function', 'file_search', and 'code_interpreter'"


def refusal(kind: type[Struct], body: Any) -> BadRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(BadRequest) as caught:
        decode_request(kind, raw)
    assert caught.value.status == 400
    return caught.value


def function(**fields: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "f", **fields}}


@pytest.mark.parametrize(
    ("kind", "body", "message", "param", "code"),
    [
        (
            RunRequest, {},
            "Missing required parameter: 'assistant_id'.", "assistant_id", "missing_required_parameter",
        ),
        (
            RunRequest, RUN | {"additional_messages": [{"role": "user"}]},
            "Missing required parameter: 'additional_messages[0].content'.",
            "additional_messages[0].content", "missing_required_parameter",
        ),
        (
            RunRequest, RUN | {"tools": [{}]},
            "Missing required parameter: 'tools[0].type'.", "tools[0].type", "missing_required_parameter",
        ),
        (
            RunRequest, RUN | {"x": 1},
            "Unknown parameter: 'x'.", "x", "unknown_parameter",
        ),
        (
            ThreadRunRequest, RUN | {"thread": {"messages": [{"role": "user", "content": "", "file_ids": []}]}},
            "Unknown parameter: 'thread.messages[0].file_ids'.", "thread.messages[0].file_ids", "unknown_parameter",
        ),
        (
            RunRequest, RUN | {"metadata": {"modified": True}},
            "Invalid type for 'metadata.modified': expected a string, but got a boolean instead.",
            "metadata.modified", "invalid_type",
        ),
        (
            RunRequest, RUN | {"metadata": {"a": None}},
            "Invalid type for 'metadata.a': expected a string, but got null instead.", "metadata.a", "invalid_type",
        ),
        (
            RunRequest, RUN | {"metadata": []},
            "Invalid type for 'metadata': expected an object, but got an array instead.", "metadata", "invalid_type",
        ),
        (
            RunRequest, RUN | {"temperature": "hot"},
            "Invalid type for 'temperature': expected a decimal, but got a string instead.",
            "temperature", "invalid_type",
        ),
        (
            RunRequest, RUN | {"max_prompt_tokens": 300.5},
            "Invalid type for 'max_prompt_tokens': expected an integer, but got a decimal number instead.",
            "max_prompt_tokens", "invalid_type",
        ),
        (
            RunRequest, RUN | {"stream": 1},
            "Invalid type for 'stream': expected a boolean, but got an integer instead.", "stream", "invalid_type",
        ),
        (
            RunRequest, {"assistant_id": {}},
            "Invalid type for 'assistant_id': expected a string, but got an object instead.",
            "assistant_id", "invalid_type",
        ),
        (
            RunRequest, RUN | {"tools": {}},
            "Invalid type for 'tools': expected an array of objects, but got an object instead.",
            "tools", "invalid_type",
        ),
        (
            RunRequest, RUN | {"tools": ["function"]},
            "Invalid type for 'tools[0]': expected an object, but got a string instead.", "tools[0]", "invalid_type",
        ),
        (
            AssistantRequest, MODEL | {"tool_resources": {"code_interpreter": {"file_ids": "x"}}},
            "Invalid type for 'tool_resources.code_interpreter.file_ids': "
            "expected an array of strings, but got a string instead.",
            "tool_resources.code_interpreter.file_ids", "invalid_type",
        ),
        (
            MessageRequest, {"role": "user", "content": 7},
            "Invalid type for 'content': expected one of a string or array of objects, but got an integer instead.",
            "content", "invalid_type",
        ),
        (
            RunRequest, RUN | {"tool_choice": 7},
            "Invalid type for 'tool_choice': "
            "expected one of 'none', 'auto', or 'required' or object, but got an integer instead.",
            "tool_choice", "invalid_type",
        ),
        (
            RunRequest, RUN | {"tools": [{"type": 1}]},
            "Invalid type for 'tools[0].type': expected a string, but got an integer instead.",
            "tools[0].type", "invalid_type",
        ),
        (
            RunRequest, RUN | {"metadata": {str(n): "" for n in range(17)}},
            "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, "
            "but got an object with 17 properties instead.",
            "metadata", "object_above_max_properties",
        ),
        (
            RunRequest, RUN | {"metadata": {"k" * 65: ""}},
            f"Invalid property name in 'metadata': '{'k' * 65}' is too long. "
            "Expected a string with maximum length 64, but got a string with length 65 instead.",
            "metadata", "property_name_above_max_length",
        ),
        (
            RunRequest, RUN | {"metadata": {"k": "x" * 600}},
            "Invalid 'metadata.k': string too long. Expected a string with maximum length 512, "
            "but got a string with length 600 instead.",
            "metadata.k", "string_above_max_length",
        ),
        (
            AssistantRequest, MODEL | {"name": "x" * 257},
            "Invalid 'name': string too long. Expected a string with maximum length 256, "
            "but got a string with length 257 instead.",
            "name", "string_above_max_length",
        ),
        (
            AssistantRequest, {"model": ""},
            "Invalid 'model': empty string. Expected a string with minimum length 1, but got an empty string instead.",
            "model", "empty_string",
        ),
        (
            RunRequest, RUN | {"tools": [{"type": "code_interpreter"}] * 217},
            "Invalid 'tools': array too long. Expected an array with maximum length 128, "
            "but got an array with length 217 instead.",
            "tools", "array_above_max_length",
        ),
        (
            MessageRequest, {"role": "user", "content": []},
            "Invalid 'content': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            "content", "empty_array",
        ),
        (
            RunRequest, RUN | {"temperature": 3},
            "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 3 instead.",
            "temperature", "decimal_above_max_value",
        ),
        (
            RunRequest, RUN | {"top_p": -0.5},
            "Invalid 'top_p': decimal below minimum value. Expected a value >= 0, but got -0.5 instead.",
            "top_p", "decimal_below_min_value",
        ),
        (
            RunRequest, RUN | {"max_completion_tokens": 255},
            "Invalid 'max_completion_tokens': integer below minimum value. "
            "Expected a value >= 256, but got 255 instead.",
            "max_completion_tokens", "integer_below_min_value",
        ),
        (
            RunRequest, RUN | {"truncation_strategy": {"type": "last_messages", "last_messages": 0}},
            "Invalid 'truncation_strategy.last_messages': integer below minimum value. "
            "Expected a value >= 1, but got 0 instead.",
            "truncation_strategy.last_messages", "integer_below_min_value",
        ),
        (
            RunRequest, RUN | {"max_seconds": 10**30},
            "Invalid 'max_seconds': integer above maximum value. "
            f"Expected a value <= 9007199254740991, but got {10**30} instead.",
            "max_seconds", "integer_above_max_value",
        ),
        (
            RunRequest, RUN | {"tools": [{"type": "file_search", "file_search": {"max_num_results": 51}}]},
            "Invalid 'tools[0].file_search.max_num_results': integer above maximum value. "
            "Expected a value <= 50, but got 51 instead.",
            "tools[0].file_search.max_num_results", "integer_above_max_value",
        ),
        (
            MessageRequest, {"role": "system", "content": ""},
            "Invalid value: 'system'. Supported values are: 'user' and 'assistant'.", "role", "invalid_value",
        ),
        (
            RunRequest, RUN | {"reasoning_effort": "huge"},
            "Invalid value: 'huge'. Supported values are: "
            "'none', 'minimal', 'low', 'medium', 'high', 'xhigh', and 'max'.",
            "reasoning_effort", "invalid_value",
        ),
        (
            RunRequest, RUN | {"tools": [{"type": "browser"}]},
            f"Invalid value: 'browser'. Supported values are: {KINDS}.", "tools[0].type", "invalid_value",
        ),
        (
            RunRequest, RUN | {"tool_choice": "some"},
            "Invalid value: 'some'. Supported values are: 'none', 'auto', and 'required'.",
            "tool_choice", "invalid_value",
        ),
        (
            RunRequest, RUN | {"response_format": "json"},
            "Invalid value: 'json'. Supported values are: 'auto'.", "response_format", "invalid_value",
        ),
        (
            RunRequest, RUN | {"response_format": {"type": "json_schema"}},
            "Missing required parameter: 'response_format.json_schema'.",
            "response_format.json_schema", "missing_required_parameter",
        ),
        (
            AssistantRequest, MODEL | {"tools": [function(name="a b")]},
            "Invalid 'tools[0].function.name': string does not match pattern. "
            "Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.",
            "tools[0].function.name", "invalid_value",
        ),
        (
            AssistantRequest, MODEL | {"tools": [function(name="ab\n")]},
            "Invalid 'tools[0].function.name': string does not match pattern. "
            "Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.",
            "tools[0].function.name", "invalid_value",
        ),
        (
            RunRequest, RUN | {"response_format": {"type": "json_schema", "json_schema": {"name": "ab\n"}}},
            "Invalid 'response_format.json_schema.name': string does not match pattern. "
            "Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.",
            "response_format.json_schema.name", "invalid_value",
        ),
        (
            AssistantRequest, MODEL | {"tools": [function(), function(name="f" * 65)]},
            "Invalid 'tools[1].function.name': string too long. Expected a string with maximum length 64, "
            "but got a string with length 65 instead.",
            "tools[1].function.name", "string_above_max_length",
        ),
        *(
            (
                kind, body, f"Invalid '{param}': array too long. Expected an array with maximum length {limit}, "
                f"but got an array with length {limit + 1} instead.", param, "array_above_max_length",
            )
            for kind, body, param, limit in [
                (ThreadRequest, {"messages": [HELLO] * 501}, "messages", 500),
                (ThreadRunRequest, RUN | {"thread": {"messages": [HELLO] * 501}}, "thread.messages", 500),
                (RunRequest, RUN | {"additional_messages": [HELLO] * 501}, "additional_messages", 500),
                (ToolOutputs, {"tool_outputs": [{"tool_call_id": "a", "output": "b"}] * 2001}, "tool_outputs", 2000),
                (
                    ThreadRequest, {"messages": [{"role": "user", "content": [{"type": "text", "text": ""}] * 501}]},
                    "messages[0].content", 500,
                ),
            ]
        ),
        (
            ToolOutputs, {"tool_outputs": [{"tool_call_id": "call_1", "output": {"a": 1}}]},
            "Invalid type for 'tool_outputs[0].output': expected a string, but got an object instead.",
            "tool_outputs[0].output", "invalid_type",
        ),
        (
            ToolOutputs, {"tool_outputs": [{"tool_call_id": "call_1", "type": "computer_call_output"}]},
            "Invalid value: 'computer_call_output'. Supported values are: 'function_call_output' and 'function'.",
            "tool_outputs[0].type", "invalid_value",
        ),
        (
            ThreadRequest, [{}],
            "Invalid type for the request body: expected an object, but got an array instead.", None, "invalid_type",
        ),
    ],
)  # fmt: skip
def test_an_invalid_request_has_the_message_of_the_contract(
    kind: type[Struct], body: Any, message: str, param: str | None, code: str
) -> None:
    error = refusal(kind, body)
    assert (error.message, error.param, error.code) == (message, param, code)


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b'{"a":1}x',
        b'{"assistant_id":"\xff"}',
        b"nul",
        b"[" * 100_000,
        b'{"a":1e999}',
        b"'a'",
        b'{"a":NaN}',
        b"\0",
    ],
)
def test_a_body_that_is_not_json_is_refused(raw: bytes) -> None:
    error = refusal(RunRequest, raw)
    assert error.message.startswith("We could not parse the JSON body of your request.")
    assert (error.param, error.code) == (None, None)


class Narrow(Request, frozen=True, kw_only=True):
    """A request with limits that no real request has."""

    name: Annotated[str, Meta(min_length=2)] = "ab"
    items: Annotated[list[int], Meta(min_length=2)] = []  # noqa: RUF012  msgspec copies an empty default


def test_empty_and_too_short_values_have_different_codes() -> None:
    short, empty = refusal(Narrow, {"name": "a"}), refusal(Narrow, {"name": ""})
    assert (short.code, empty.code) == ("string_below_min_length", "empty_string")
    assert short.message == (
        "Invalid 'name': string too short. Expected a string with minimum length 2, "
        "but got a string with length 1 instead."
    )
    few, none = refusal(Narrow, {"items": [1]}), refusal(Narrow, {"items": []})
    assert (few.code, none.code) == ("array_below_min_length", "empty_array")
    assert few.message == (
        "Invalid 'items': array too short. Expected an array with minimum length 2, "
        "but got an array with length 1 instead."
    )


def test_unknown_fields_are_reported_before_missing_ones() -> None:
    assert refusal(RunRequest, {"asistant_id": "a"}).message == "Unknown parameter: 'asistant_id'."


def test_a_long_value_is_shortened_in_the_message() -> None:
    error = refusal(MessageRequest, {"role": "r" * 10_000, "content": ""})
    assert len(error.message) < 300
    assert "rrr...rrr" in error.message


@pytest.mark.parametrize("raw", [b"", b"  ", b"null", b"{}", b" {} ", b"[]", b" []\n"])
def test_an_empty_body_is_an_empty_object(raw: bytes) -> None:
    assert decode_request(ThreadRequest, raw) == ThreadRequest()


def test_an_empty_body_lacks_required_fields() -> None:
    assert refusal(RunRequest, b"").code == "missing_required_parameter"


def test_empty_lists_are_accepted_because_the_dotnet_client_sends_them() -> None:
    assert decode_request(RunRequest, b'{"assistant_id":"a","additional_messages":[]}').additional_messages == []
    assert decode_request(ThreadRequest, b'{"messages":[]}').messages == []


@pytest.mark.parametrize("kind", ["function_call_output", "function"])
def test_the_type_of_an_output_is_accepted_because_some_clients_send_it(kind: str) -> None:
    outputs = {"tool_outputs": [{"type": kind, "tool_call_id": "call_1", "output": "rain"}]}
    [output] = decode_request(ToolOutputs, json.dumps(outputs).encode()).output
    assert (output.tool_call_id, output.output) == ("call_1", "rain")


def test_absent_and_null_fields_are_different() -> None:
    assert decode_request(ThreadRequest, b"{}").metadata is UNSET
    assert decode_request(ThreadRequest, b'{"metadata":null}').metadata is None


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["assistant_id", "tools", "type", "function", "name", "thread", "messages", "content", "role",
                         "metadata", "temperature", "tool_choice", "response_format", "text", "x"]), inner, max_size=4),
    max_leaves=12,
), st.sampled_from(BODIES))  # fmt: skip
def test_any_json_is_decoded_or_refused_with_a_message(value: Any, kind: type[Request]) -> None:
    try:
        request = decode_request(kind, json.dumps(value).encode())
    except BadRequest as error:
        message = error.message
    else:
        message = ""
        assert decode_request(kind, msgspec.json.encode(request)) == request
    # The validation finds every error itself; it never falls back on the decoder's message.
    assert not message.startswith("Invalid request:")


def test_a_constructed_request_is_validated_like_a_decoded_one() -> None:
    request = RunRequest(assistant_id="asst_1", temperature=0.5, metadata={"a": "b"})
    assert validate(request) == request
    with pytest.raises(BadRequest) as caught:
        validate(RunRequest(assistant_id="asst_1", temperature=3.5))
    assert caught.value.code == "decimal_above_max_value"


def test_a_request_that_cannot_be_encoded_is_refused() -> None:
    odd: Metadata = {"a": object()}  # type: ignore[dict-item]
    with pytest.raises(BadRequest):
        validate(ThreadRequest(metadata=odd))


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.__name__)
def test_integers_of_requests_are_bounded(body: type[Struct]) -> None:
    """A database refuses to store a larger one, again and again while the run is executed."""
    integers = [found for found in _types(inspect.type_info(body), set()) if isinstance(found, inspect.IntType)]
    assert all(found.le is not None and found.le < 2**63 for found in integers)


def _types(found: Any, seen: set[type]) -> Iterator[Any]:
    """The type, and all that it is made of."""
    match found:
        case inspect.StructType(cls=cls, fields=fields):
            parts = [] if cls in seen else [field.type for field in fields]
            seen.add(cls)
        case inspect.UnionType(types=types):
            parts = list(types)
        case inspect.ListType(item_type=item):
            parts = [item]
        case inspect.DictType(key_type=key, value_type=value):
            parts = [key, value]
        case _:
            parts = []
    yield found
    for part in parts:
        yield from _types(part, seen)
