"""Null of an optional field is "not given": for every field of every request, at every depth."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from msgspec import UNSET, Struct
from msgspec import inspect as kinds

from runstead.wire.assistant import Assistant, AssistantRequest, AssistantUpdate
from runstead.wire.codec.introspect import fields_of, options, options_for, struct_for, type_of
from runstead.wire.codec.request import decode_request, validate
from runstead.wire.codec.response import decode_lenient
from runstead.wire.endpoints import ENDPOINTS
from runstead.wire.error import BadRequest
from runstead.wire.message import MessageRequest
from runstead.wire.run import RunRequest, ThreadRunRequest, ToolOutputs
from runstead.wire.struct import Request
from runstead.wire.thread import ThreadRequest
from runstead.wire.tool import Function, FunctionTool
from runstead.wire.webhook import WebhookUpdate

BODIES = sorted({each.body for each in ENDPOINTS.values() if each.takes == "json"}, key=lambda body: body.__name__)
RUN = {"assistant_id": "asst_1"}
USER = {"role": "user", "content": "Hi"}


def samples(kind: kinds.Type, inside: tuple[type, ...] = ()) -> list[Any]:
    """Values of a type: together they have every field of every object in it. None is inside another of its type."""
    return [value for option in options(kind) for value in _samples(option, inside)]


def _samples(kind: kinds.Type, inside: tuple[type, ...]) -> list[Any]:
    match kind:
        case kinds.StructType() if kind.cls in inside:
            return []
        case kinds.StructType():
            fields = fields_of(kind.cls).items()
            values = {name: samples(field.type, (*inside, kind.cls)) for name, field in fields}
            tag = {} if kind.tag_field is None else {kind.tag_field: kind.tag}
            most = max(map(len, values.values()), default=1)
            return [tag | {name: each[min(n, len(each) - 1)] for name, each in values.items()} for n in range(most)]
        case kinds.ListType(item_type=item, max_length=longest):
            return [samples(item, inside)[:longest]]
        case kinds.DictType(value_type=value):
            return [{"a": 0.5} if isinstance(value, kinds.FloatType) else {"a": "b"}]
        case kinds.LiteralType(values=values):
            return [values[0]]
        case kinds.IntType(ge=least) | kinds.FloatType(ge=least):
            return [int(least or 0)]
        case kinds.BoolType():
            return [True]
        case _:
            return ["x"]


def wholes(body: type[Request]) -> list[Any]:
    """Requests with all fields. No two of their objects are one in memory."""
    whole: list[Any] = json.loads(json.dumps(samples(type_of(body))))
    return whole


def objects(kind: kinds.Type, value: Any, at: str) -> Iterator[tuple[type[Struct], dict[str, Any], str]]:
    """Every object inside a value, with its type and its path."""
    if isinstance(value, list):
        for array in options_for(options(kind), value):
            assert isinstance(array, kinds.ListType)
            for place, item in enumerate(value):
                yield from objects(array.item_type, item, f"{at}[{place}]")
    elif isinstance(value, dict) and (struct := struct_for(options(kind), value)) is not None:
        yield struct.cls, value, at
        for name, field in fields_of(struct.cls).items():
            if name in value:
                yield from objects(field.type, value[name], f"{at}.{name}")


def given(request: Request) -> Any:
    """The fields of a request, without its nulls."""
    return _without_none(msgspec.to_builtins(request))


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_none(inner) for name, inner in value.items() if inner is not None}
    return [_without_none(item) for item in value] if isinstance(value, list) else value


def read(body: type[Request], value: Any) -> Request:
    request: Request = decode_request(body, json.dumps(value).encode())
    return request


@pytest.mark.parametrize("body", BODIES)
def test_null_of_every_optional_field_is_not_given(body: type[Request]) -> None:
    nulls = 0
    for whole in wholes(body):
        for struct, found, at in objects(type_of(body), whole, body.__name__):
            for name, field in fields_of(struct).items():
                if field.required:
                    continue
                before = found.pop(name)
                absent = given(read(body, whole))
                found[name] = None
                assert given(read(body, whole)) == absent, f"{at}.{name}"
                found[name] = before
                nulls += 1
    assert nulls >= sum(not field.required for field in fields_of(body).values())


@pytest.mark.parametrize("body", BODIES)
def test_all_optional_fields_may_be_null_at_once(body: type[Request]) -> None:
    for least, nulled in zip(wholes(body), wholes(body), strict=True):
        for struct, found, _ in list(objects(type_of(body), least, "")):
            for name, field in fields_of(struct).items():
                if not field.required:
                    del found[name]
        for struct, found, _ in list(objects(type_of(body), nulled, "")):
            found.update({name: None for name, field in fields_of(struct).items() if not field.required})
        assert given(read(body, nulled)) == given(read(body, least))


@pytest.mark.parametrize(
    ("body", "sent", "same"),
    [
        # Programs known to send them: one that makes an empty thread so, and tools as pydantic dumps them.
        (ThreadRequest, {"messages": None}, {}),
        (
            AssistantRequest,
            {
                "model": "m",
                "tools": [
                    {"type": "function", "function": {"name": "f", "description": None, "parameters": None}},
                    {"type": "file_search", "file_search": None},
                ],
            },
            {"model": "m", "tools": [{"type": "function", "function": {"name": "f"}}, {"type": "file_search"}]},
        ),
        # One class for all members of a union writes the fields of the other members as nulls.
        (
            MessageRequest,
            {"role": "user", "content": [{"type": "text", "text": "Hi", "image_file": None, "image_url": None}]},
            {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
        ),
        (
            RunRequest,
            RUN | {"tools": [{"type": "code_interpreter", "function": None}], "response_format": {"type": "text"}},
            RUN | {"tools": [{"type": "code_interpreter"}], "response_format": {"type": "text"}},
        ),
        (RunRequest, RUN | {"tool_choice": {"type": "file_search", "function": None}, "unheard_of": None},
         RUN | {"tool_choice": {"type": "file_search"}}),
        (ThreadRunRequest, RUN | {"thread": {"messages": [USER | {"attachments": [{"file_id": None, "tools": None}]}]}},
         RUN | {"thread": {"messages": [USER | {"attachments": [{}]}]}}),
        (ToolOutputs, {"tool_outputs": [{"tool_call_id": "call_1", "output": None, "type": None}]},
         {"tool_outputs": [{"tool_call_id": "call_1", "output": ""}]}),
    ],
)  # fmt: skip
def test_nulls_as_programs_send_them_are_read_as_absent(body: type[Request], sent: Any, same: Any) -> None:
    assert read(body, sent) == read(body, same)


@pytest.mark.parametrize(
    ("body", "sent", "param"),
    [
        (RunRequest, {"assistant_id": None}, "assistant_id"),
        (MessageRequest, {"role": "user", "content": None}, "content"),
        (MessageRequest, {"role": "user", "content": [{"type": "text", "text": None}]}, "content[0].text"),
        (ThreadRequest, {"messages": [None]}, "messages[0]"),
        (ThreadRequest, {"messages": [{"role": None, "content": "x", "metadata": None}]}, "messages[0].role"),
        (AssistantRequest, {"model": "m", "metadata": {"a": None}, "tools": None}, "metadata.a"),
        (AssistantRequest, {"model": "m", "tools": [{"type": None}]}, "tools[0].type"),
        (AssistantRequest, {"model": "m", "tools": [{"type": "function", "function": None}]}, "tools[0].function"),
    ],
)
def test_null_of_a_required_value_is_refused(body: type[Request], sent: Any, param: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read(body, sent)
    assert (refused.value.param, refused.value.code) == (param, "invalid_type")
    assert refused.value.message.endswith("but got null instead.")


def test_an_error_beside_a_null_is_still_the_error() -> None:
    with pytest.raises(BadRequest) as refused:
        read(RunRequest, RUN | {"parallel_tool_calls": None, "temperature": 3})
    assert refused.value.param == "temperature"


def test_nulls_inside_a_schema_belong_to_the_schema() -> None:
    parameters = {"type": "object", "properties": {"a": {"default": None, "enum": ["b", None]}}}
    tools = [{"type": "function", "function": {"name": "f", "parameters": parameters, "strict": None}}]
    assert read(RunRequest, RUN | {"tools": tools}) == RunRequest(
        assistant_id="asst_1", tools=[FunctionTool(function=Function(name="f", parameters=parameters))]
    )


def test_null_clears_a_field_in_an_update_if_the_object_may_have_none() -> None:
    update = AssistantUpdate(name=None, metadata=None)
    assert read(AssistantUpdate, {"name": None, "metadata": None, "model": None, "tools": None}) == update
    assert read(WebhookUpdate, {"url": None, "enabled": None}) == WebhookUpdate()


def test_a_constructed_request_may_have_them_too() -> None:
    made = validate(ThreadRequest(messages=None))  # type: ignore[arg-type]
    assert made.messages is UNSET


def test_a_response_of_another_server_may_have_them_too() -> None:
    tools = [{"type": "function", "function": {"name": "f", "description": None, "strict": None}}]
    body = {"id": "asst_1", "object": "assistant", "created_at": 1, "model": "m", "tools": tools, "metadata": None}
    assert decode_lenient(Assistant, json.dumps(body).encode()) == Assistant(
        id="asst_1", created_at=1, model="m", tools=[FunctionTool(function=Function(name="f"))]
    )


def test_an_array_that_is_too_long_is_not_searched() -> None:
    with pytest.raises(BadRequest) as refused:
        read(RunRequest, RUN | {"tools": [{"type": "code_interpreter", "x": None}] * 129})
    assert refused.value.code == "array_above_max_length"
