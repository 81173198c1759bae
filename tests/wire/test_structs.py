"""The objects of the wire: their keys and default values, as in section 3 of the contract."""

import json
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from runstead.wire.assistant import Assistant, AssistantDeleted
from runstead.wire.content import FileCitation, ImageUrlPart, Text, TextPart
from runstead.wire.delta import FunctionToolCallDelta, MessageDelta
from runstead.wire.error import BadRequest, ErrorBody, RateLimited, ServerError, api_error
from runstead.wire.message import Message, MessageDeleted
from runstead.wire.model import Model, ModelList
from runstead.wire.page import Page
from runstead.wire.run import Run, Status, Usage
from runstead.wire.run_step import RunStep
from runstead.wire.thread import Thread, ThreadDeleted
from runstead.wire.tool import FileSearchTool, Function, FunctionTool

ASSISTANT = Assistant(id="asst_1", created_at=1, model="m")
THREAD = Thread(id="thread_1", created_at=1)
MESSAGE = Message(id="msg_1", created_at=1, thread_id="thread_1", role="user", content=[TextPart(text=Text(value="x"))])
RUN = Run(id="run_1", created_at=1, thread_id="thread_1", assistant_id="asst_1", status=Status.QUEUED, model="m")
STEP = msgspec.convert(
    {
        "id": "step_1", "created_at": 1, "run_id": "run_1", "assistant_id": "asst_1", "thread_id": "thread_1",
        "type": "message_creation",
        "step_details": {"type": "message_creation", "message_creation": {"message_id": "msg_1"}},
    },
    RunStep,
)  # fmt: skip


def wire(thing: Struct) -> Any:
    return json.loads(msgspec.json.encode(thing))


@pytest.mark.parametrize(
    ("thing", "kind", "keys"),
    [
        (
            ASSISTANT, "assistant",
            "id object created_at name description model instructions tools tool_resources metadata temperature top_p "
            "reasoning_effort response_format",
        ),
        (THREAD, "thread", "id object created_at tool_resources metadata"),
        (
            MESSAGE, "thread.message",
            "id object created_at thread_id status incomplete_details completed_at incomplete_at role content "
            "assistant_id run_id attachments metadata",
        ),
        (
            RUN, "thread.run",
            "id object created_at thread_id assistant_id status required_action last_error expires_at started_at "
            "completed_at cancelled_at failed_at incomplete_details model instructions tools tool_resources metadata "
            "usage temperature top_p reasoning_effort max_prompt_tokens max_completion_tokens truncation_strategy "
            "tool_choice parallel_tool_calls response_format",
        ),
        (
            STEP, "thread.run.step",
            "id object created_at assistant_id thread_id run_id type status step_details last_error expires_at "
            "expired_at cancelled_at failed_at completed_at usage metadata",
        ),
        (Model(id="m"), "model", "id object created owned_by"),
        (Page[Thread](data=[]), "list", "object data first_id last_id has_more"),
        (ModelList(data=[]), "list", "object data"),
        (AssistantDeleted(id="asst_1"), "assistant.deleted", "id object deleted"),
        (ThreadDeleted(id="thread_1"), "thread.deleted", "id object deleted"),
        (MessageDeleted(id="msg_1"), "thread.message.deleted", "id object deleted"),
    ],
)  # fmt: skip
def test_an_object_has_all_its_keys_and_its_kind(thing: Struct, kind: str, keys: str) -> None:
    sent = wire(thing)
    assert set(sent) == set(keys.split())
    assert sent["object"] == kind


def test_defaults_are_those_of_the_hosted_service() -> None:
    sent = wire(ASSISTANT)
    assert (sent["temperature"], sent["top_p"], sent["response_format"]) == (1.0, 1.0, "auto")
    assert (sent["tools"], sent["metadata"], sent["reasoning_effort"]) == ([], {}, None)
    sent = wire(RUN)
    assert sent["truncation_strategy"] == {"type": "auto", "last_messages": None}
    assert (sent["tool_choice"], sent["parallel_tool_calls"], sent["response_format"]) == ("auto", True, "auto")
    assert wire(MESSAGE)["attachments"] == []


def test_an_empty_page_has_no_cursors() -> None:
    assert wire(Page[Run](data=[])) == {
        "object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False,
    }  # fmt: skip


def test_usage_is_spelled_as_recorded() -> None:
    assert set(wire(Usage())) == {
        "prompt_tokens", "completion_tokens", "total_tokens", "prompt_token_details", "completion_tokens_details",
    }  # fmt: skip


def test_the_statuses_are_those_of_the_contract() -> None:
    ended = {"cancelled", "failed", "completed", "incomplete", "expired"}
    assert {str(status) for status in Status if status.terminal} == ended
    assert {str(status) for status in Status} == ended | {"queued", "in_progress", "requires_action", "cancelling"}
    assert {str(status) for status in Status if status.pausing} == ended | {"requires_action"}


def test_a_function_without_parameters_takes_none_and_is_not_strict() -> None:
    assert wire(FunctionTool(function=Function(name="f"))) == {
        "type": "function",
        "function": {"name": "f", "parameters": {"type": "object", "properties": {}}, "strict": False},
    }


def test_file_search_shows_its_default_ranking() -> None:
    ranking = {"ranker": "default_2024_08_21", "score_threshold": 0.0, "hybrid_search": None}
    assert wire(FileSearchTool()) == {"type": "file_search", "file_search": {"ranking_options": ranking}}


def test_parts_have_the_recorded_shapes() -> None:
    assert wire(TextPart(text=Text(value="x"))) == {"type": "text", "text": {"value": "x", "annotations": []}}
    image = msgspec.convert({"type": "image_url", "image_url": {"url": "http://x/y.png"}}, ImageUrlPart)
    assert wire(image)["image_url"]["detail"] == "auto"
    citation = {"type": "file_citation", "text": "【0†f】", "start_index": 0, "end_index": 5}
    citation |= {"file_citation": {"file_id": "file-1"}}
    assert wire(msgspec.convert(citation, FileCitation)) == citation


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        (
            MessageDelta,
            {
                "id": "msg_1", "object": "thread.message.delta",
                "delta": {"content": [{"index": 0, "type": "text", "text": {"value": "Hello", "annotations": []}}]},
            },
        ),
        (
            MessageDelta,
            {
                "id": "msg_1", "object": "thread.message.delta",
                "delta": {"content": [{"index": 0, "type": "text", "text": {"value": " world"}}]},
            },
        ),
        (
            FunctionToolCallDelta,
            {"index": 0, "id": "call_1", "type": "function"}
            | {"function": {"name": "f", "arguments": "", "output": None}},
        ),
        (FunctionToolCallDelta, {"index": 0, "type": "function", "function": {"arguments": '{"'}}),
    ],
)  # fmt: skip
def test_deltas_have_the_recorded_shapes_and_nothing_more(kind: type[Struct], shape: dict[str, Any]) -> None:
    assert wire(msgspec.convert(shape, kind)) == shape


@pytest.mark.parametrize("thing", [ASSISTANT, THREAD, MESSAGE, RUN, STEP], ids=lambda each: type(each).__name__)
def test_unknown_fields_of_objects_are_ignored(thing: Struct) -> None:
    assert msgspec.convert(wire(thing) | {"brand_new": {"x": 1}}, type(thing)) == thing


def test_an_error_body_always_has_all_four_keys() -> None:
    body = {"error": {"message": "m", "type": "invalid_request_error", "param": None, "code": None}}
    assert wire(BadRequest("m").body) == body


def test_an_error_is_restored_from_its_response() -> None:
    error = BadRequest("m", param="p", code="c")
    details = msgspec.json.decode(msgspec.json.encode(error.body), type=ErrorBody).error
    back = api_error(400, details, "req_1")
    assert isinstance(back, BadRequest)
    assert (back.message, back.param, back.code, back.request_id) == ("m", "p", "c", "req_1")


@pytest.mark.parametrize(
    ("status", "kind"), [(429, RateLimited), (500, ServerError), (503, ServerError), (418, BadRequest)]
)
def test_a_status_has_an_error_class(status: int, kind: type[Exception]) -> None:
    error = api_error(status, BadRequest("m").body.error)
    assert type(error) is kind
    assert error.status == status
