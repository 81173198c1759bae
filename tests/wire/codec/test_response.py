"""Lenient decoding: fields that this version does not know are ignored."""

import json
from typing import Any

import msgspec
import pytest

from runstead.wire.assistant import Assistant
from runstead.wire.codec.response import decode_lenient
from runstead.wire.page import Page
from runstead.wire.run import Run
from runstead.wire.tool import FileSearchTool, FunctionTool, NamedToolChoice

RUN = {"id": "run_1", "created_at": 1, "thread_id": "t", "assistant_id": "a", "status": "queued", "model": "m"}


def run(**fields: Any) -> Run:
    return decode_lenient(Run, json.dumps(RUN | fields).encode())


def test_unknown_fields_of_nested_structs_are_ignored() -> None:
    function = {"name": "f", "parameters": {"type": "object"}, "cache": True}
    raw = json.dumps(RUN | {"tools": [{"type": "function", "function": function, "when": "later"}]}).encode()
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(raw, type=Run)
    (tool,) = decode_lenient(Run, raw).tools
    assert isinstance(tool, FunctionTool)
    assert (tool.function.name, tool.function.parameters) == ("f", {"type": "object"})


def test_free_form_values_are_kept_whole() -> None:
    parameters = {"type": "object", "properties": {"x": {"anything": [1, {"deep": None}]}}}
    (tool,) = run(tools=[{"type": "function", "new": 1, "function": {"name": "f", "parameters": parameters}}]).tools
    assert isinstance(tool, FunctionTool)
    assert tool.function.parameters == parameters


def test_pages_maps_and_unions_are_decoded_leniently() -> None:
    page = {
        "data": [
            RUN
            | {
                "tools": [{"type": "file_search", "x": 1, "file_search": {"y": 2, "ranking_options": {"z": 3}}}],
                "tool_choice": {"type": "function", "function": {"name": "f", "x": 1}, "y": 2},
                "metadata": {"type": "kept"},
                "x": 1,
            }
        ],
        "x": 1,
    }
    (only,) = decode_lenient(Page[Run], json.dumps(page).encode()).data
    assert only.tools == [FileSearchTool()]
    assert isinstance(only.tool_choice, NamedToolChoice)
    assert only.metadata == {"type": "kept"}


def test_null_and_literals_are_decoded() -> None:
    assert run(tool_choice="auto", tool_resources=None).tool_choice == "auto"


def test_other_errors_are_still_raised() -> None:
    with pytest.raises(msgspec.ValidationError):
        run(status="sleeping")
    with pytest.raises(msgspec.ValidationError):
        run(tools=[{"type": "browser"}])
    with pytest.raises(msgspec.DecodeError):
        decode_lenient(Run, b"{")


def test_a_valid_response_equals_its_strict_decode() -> None:
    raw = b'{"id":"asst_1","created_at":1,"model":"m","tools":[{"type":"code_interpreter"}],"metadata":{"a":"b"}}'
    assert decode_lenient(Assistant, raw) == msgspec.json.decode(raw, type=Assistant)


def test_a_value_that_cannot_be_a_tag_raises_no_other_error() -> None:
    raw = b'{"id":"asst_1","created_at":1,"model":"m","tools":[{"type":[]}],"tool_resources":{"":[]}}'
    with pytest.raises(msgspec.ValidationError):
        decode_lenient(Assistant, raw)
