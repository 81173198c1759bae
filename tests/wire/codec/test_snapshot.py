"""Snapshots: deltas applied to messages and steps give the complete object."""

from functools import reduce

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstead.wire.codec.snapshot import with_message_deltas, with_step_deltas
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
    """The content after these deltas. It is the same when they are applied one after the other."""
    deltas = [msgspec.convert({"id": "msg_1", "delta": {"content": each}}, MessageDelta) for each in contents]
    message = reduce(lambda message, delta: with_message_deltas(message, [delta]), deltas, MESSAGE)
    assert with_message_deltas(MESSAGE, deltas) == message
    found: list[object] = msgspec.to_builtins(message.content)
    return found


def step_of(*calls: object) -> list[object]:
    details = {"type": "tool_calls", "tool_calls": []}
    ids = {"id": "step_1", "run_id": "r", "assistant_id": "a", "thread_id": "t", "created_at": 1}
    step = msgspec.convert(ids | {"type": "tool_calls", "step_details": details}, RunStep)
    new = [{"step_details": {"type": "tool_calls", "tool_calls": call}} for call in calls]
    deltas = [msgspec.convert({"id": "step_1", "delta": each}, RunStepDelta) for each in new]
    at_once = with_step_deltas(step, deltas)
    step = reduce(lambda step, delta: with_step_deltas(step, [delta]), deltas, step)
    assert at_once == step
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


INDEX = st.integers(-1, 3)
TEXT = st.fixed_dictionaries({}, optional={"value": st.text(max_size=3), "annotations": st.just([])})
PARTS = st.one_of(
    st.fixed_dictionaries({"index": INDEX, "type": st.just("text")}, optional={"text": TEXT}),
    st.fixed_dictionaries({"index": INDEX, "type": st.just("refusal")}, optional={"refusal": st.text(max_size=3)}),
)
FUNCTION = st.fixed_dictionaries({}, optional={"name": st.just("f"), "arguments": st.text(max_size=3)})
CALLS = st.fixed_dictionaries(
    {"index": INDEX, "type": st.just("function")}, optional={"id": st.just("call_1"), "function": FUNCTION}
)


@given(st.lists(st.lists(PARTS, max_size=3), max_size=6))
def test_any_deltas_of_a_message_may_be_applied_at_once(contents: list[list[object]]) -> None:
    message_of(*contents)


@given(st.lists(st.lists(CALLS, max_size=3), max_size=6))
def test_any_deltas_of_a_step_may_be_applied_at_once(calls: list[list[object]]) -> None:
    step_of(*calls)


def test_an_annotation_of_an_unknown_type_is_left_out() -> None:
    text = {"value": "a", "annotations": [{"index": 0, "type": "new"}, {"index": 1} | CITATION, {}]}
    assert message_of([{"index": 0, "type": "text", "text": text}]) == [
        {"type": "text", "text": {"value": "a", "annotations": [CITATION]}}
    ]


@pytest.mark.parametrize(
    "call",
    [
        {"type": "file_search", "file_search": {"results": "many"}},
        {"type": "code_interpreter", "code_interpreter": {"outputs": [{"type": "new"}]}},
    ],
)
def test_parts_of_a_call_that_do_not_fit_are_left_out(call: dict[str, object]) -> None:
    assert "new" not in str(step_of([{"index": 0, "id": "call_1"} | call]))
