"""Snapshots: deltas applied to messages and steps give the complete object."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstead.wire.codec.snapshot import with_message_delta, with_step_delta
from runstead.wire.delta import MessageDelta, RunStepDelta
from runstead.wire.message import Message
from runstead.wire.run_step import RunStep

MESSAGE = msgspec.convert(
    {"id": "msg_1", "created_at": 1, "thread_id": "t", "role": "assistant", "content": []}, Message
)
CITATION = {
    "type": "file_citation",
    "text": "【0†a】",
    "start_index": 2,
    "end_index": 7,
    "file_citation": {"file_id": "file-1"},
}


def message_of(*contents: object) -> list[object]:
    message = MESSAGE
    for content in contents:
        delta = msgspec.convert({"id": "msg_1", "delta": {"content": content}}, MessageDelta)
        message = with_message_delta(message, delta)
    found: list[object] = msgspec.to_builtins(message.content)
    return found


def step_of(*calls: object) -> list[object]:
    details = {"type": "tool_calls", "tool_calls": []}
    ids = {"id": "step_1", "run_id": "r", "assistant_id": "a", "thread_id": "t", "created_at": 1}
    step = msgspec.convert(ids | {"type": "tool_calls", "step_details": details}, RunStep)
    for call in calls:
        news = {"step_details": {"type": "tool_calls", "tool_calls": call}}
        step = with_step_delta(step, msgspec.convert({"id": "step_1", "delta": news}, RunStepDelta))
    found: list[object] = msgspec.to_builtins(step)["step_details"]["tool_calls"]
    return found


@given(st.lists(st.text()))
def test_text_is_concatenated(pieces: list[str]) -> None:
    first = [{"index": 0, "type": "text", "text": {"value": "", "annotations": []}}]
    deltas = [[{"index": 0, "type": "text", "text": {"value": piece}}] for piece in pieces]
    assert message_of(first, *deltas) == [{"type": "text", "text": {"value": "".join(pieces), "annotations": []}}]


def test_an_annotation_has_no_index() -> None:
    text = {"value": "ab【0†a】", "annotations": [{"index": 0} | CITATION]}
    assert message_of([{"index": 0, "type": "text", "text": text}]) == [
        {"type": "text", "text": {"value": "ab【0†a】", "annotations": [CITATION]}}
    ]


def test_parts_are_found_by_their_index() -> None:
    image = {"file_id": "file-1", "detail": "low"}
    refused = {"index": 2, "type": "refusal", "refusal": "I "}
    assert message_of(
        [{"index": 0, "type": "text", "text": {"value": "a"}}, {"index": 1, "type": "image_file", "image_file": image}],
        [refused, {"index": 0, "type": "text", "text": {"value": "b"}}],
        [refused | {"refusal": "won't"}],
    ) == [
        {"type": "text", "text": {"value": "ab", "annotations": []}},
        {"type": "image_file", "image_file": image},
        {"type": "refusal", "refusal": "I won't"},
    ]


@pytest.mark.parametrize("index", [1, 99, -1])
def test_a_delta_that_would_leave_a_gap_is_ignored(index: int) -> None:
    assert message_of([{"index": index, "type": "text", "text": {"value": "a"}}]) == []


def test_the_given_message_is_not_changed() -> None:
    message_of([{"index": 0, "type": "text", "text": {"value": "a"}}])
    assert MESSAGE.content == []


def test_parallel_function_calls_are_merged_by_index() -> None:
    assert step_of(
        [{"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": "", "output": None}}],
        [{"index": 0, "type": "function", "function": {"arguments": '{"a"'}}],
        [{"index": 1, "id": "call_2", "type": "function", "function": {"name": "g", "arguments": "{}"}}],
        [{"index": 0, "type": "function", "function": {"arguments": ": 1}"}}],
        [{"index": 1, "type": "function", "function": {"output": "42"}}],
    ) == [
        {"type": "function", "id": "call_1", "function": {"name": "f", "arguments": '{"a": 1}', "output": None}},
        {"type": "function", "id": "call_2", "function": {"name": "g", "arguments": "{}", "output": "42"}},
    ]


def test_code_and_its_outputs_are_merged() -> None:
    logs = {"index": 0, "type": "logs", "logs": "3"}
    assert step_of(
        [{"index": 0, "id": "c", "type": "code_interpreter", "code_interpreter": {"input": "", "outputs": []}}],
        [{"index": 0, "type": "code_interpreter", "code_interpreter": {"input": "1+2"}}],
        [{"index": 0, "type": "code_interpreter", "code_interpreter": {"outputs": [logs]}}],
    ) == [
        {
            "type": "code_interpreter",
            "id": "c",
            "code_interpreter": {"input": "1+2", "outputs": [{"type": "logs", "logs": "3"}]},
        }
    ]


def test_a_file_search_is_inserted_at_its_index() -> None:
    [call] = step_of([{"index": 0, "id": "c", "type": "file_search", "file_search": {"results": []}}])
    assert call == {"type": "file_search", "id": "c", "file_search": {"ranking_options": {}, "results": []}}
