"""Deltas add up to the whole, and have the shapes that clients know."""

import json
import tracemalloc
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstead.domain.chat.assembly import CallsDraft, MessageDraft
from runstead.domain.model_call import ToolCallPiece
from runstead.wire.content import RefusalPart, TextPart
from runstead.wire.delta import MessageDelta, RunStepDelta

TEXT = st.text(st.characters(codec="utf-8"))


def content(delta: bytes) -> dict[str, Any]:
    """The one part that a message's delta brings."""
    msgspec.json.decode(delta, type=MessageDelta)
    [part] = json.loads(delta)["delta"]["content"]
    return dict(part)


def calls(deltas: Any) -> list[dict[str, Any]]:
    """The result of a step's deltas."""
    brought = []
    for delta in deltas:
        msgspec.json.decode(delta, type=RunStepDelta)
        details = json.loads(delta)["delta"]["step_details"]
        assert details["type"] == "tool_calls"
        brought += details["tool_calls"]
    return brought


def test_the_first_delta_of_a_text_brings_the_empty_annotations_and_the_next_do_not() -> None:
    draft = MessageDraft("msg_1")
    first, second = draft.add_text("Hello"), draft.add_text(" world")
    assert json.loads(first) == {
        "id": "msg_1",
        "object": "thread.message.delta",
        "delta": {"content": [{"index": 0, "type": "text", "text": {"value": "Hello", "annotations": []}}]},
    }
    assert content(second) == {"index": 0, "type": "text", "text": {"value": " world"}}


def test_a_refusal_is_a_part_of_its_own() -> None:
    draft = MessageDraft("msg_1")
    parts = [draft.add_text("Hm."), draft.add_refusal("I "), draft.add_refusal("won't"), draft.add_text("!")]
    assert [content(part)["index"] for part in parts] == [0, 1, 1, 2]
    assert content(parts[1]) == {"index": 1, "type": "refusal", "refusal": "I "}
    assert content(parts[3])["text"] == {"value": "!", "annotations": []}
    assert [part.__struct_config__.tag for part in draft.content()] == ["text", "refusal", "text"]


def test_a_message_without_a_word_is_one_empty_text() -> None:
    [part] = MessageDraft("msg_1").content()
    assert isinstance(part, TextPart)
    assert part.text.value == ""


@given(st.lists(st.tuples(st.booleans(), TEXT)))
def test_a_messages_deltas_add_up_to_its_content(pieces: list[tuple[bool, str]]) -> None:
    draft = MessageDraft("msg_1")
    added: list[str] = []
    for refused, text in pieces:
        part = content(draft.add_refusal(text) if refused else draft.add_text(text))
        if part["index"] == len(added):
            added.append("")
        added[part["index"]] += part["refusal"] if refused else part["text"]["value"]
        assert part["index"] == len(added) - 1
    written = [part.refusal if isinstance(part, RefusalPart) else part.text.value for part in draft.content()]  # type: ignore[union-attr]
    assert written == (added or [""])


def test_a_call_brings_its_id_and_name_once() -> None:
    draft = CallsDraft("step_1")
    deltas = [
        *draft.add(ToolCallPiece(0, "call_a", "weather"), "call_new"),
        *draft.add(ToolCallPiece(0, "call_a", "weather", '{"city":'), "call_new"),
        *draft.add(ToolCallPiece(0, arguments='"Rome"}'), "call_new"),
    ]
    assert json.loads(deltas[0])["object"] == "thread.run.step.delta"
    assert calls(deltas) == [
        {
            "index": 0,
            "type": "function",
            "id": "call_a",
            "function": {"name": "weather", "arguments": "", "output": None},
        },
        {"index": 0, "type": "function", "function": {"arguments": '{"city":'}},
        {"index": 0, "type": "function", "function": {"arguments": '"Rome"}'}},
    ]
    [call] = draft.calls()
    assert (call.id, call.name, call.arguments) == ("call_a", "weather", '{"city":"Rome"}')


def test_a_call_without_an_id_gets_one() -> None:
    draft = CallsDraft("step_1")
    assert calls(draft.add(ToolCallPiece(0, None, "weather"), "call_new"))[0]["id"] == "call_new"
    assert [call.id for call in draft.calls()] == ["call_new"]


def test_two_calls_never_share_an_id() -> None:
    draft = CallsDraft("step_1")
    draft.add(ToolCallPiece(0, "call_a", "weather"), "call_new")
    draft.add(ToolCallPiece(1, "call_a", "weather"), "call_new")
    assert [call.id for call in draft.calls()] == ["call_a", "call_new"]


@pytest.mark.parametrize("numbers", [[0, 1, 2], [3, 7, 5], [1, 2, 2]])
def test_calls_are_numbered_from_zero_whatever_the_model_numbered(numbers: list[int]) -> None:
    draft = CallsDraft("step_1")
    for number in numbers:
        draft.add(ToolCallPiece(number, f"call_{number}", "weather"), "call_new")
    deltas = [delta for number in numbers for delta in draft.add(ToolCallPiece(number, arguments="{}"), "call_new")]
    places = [call["index"] for call in calls(deltas)]
    assert places == [sorted(set(numbers), key=numbers.index).index(number) for number in numbers]


@given(st.lists(st.tuples(st.integers(0, 3), TEXT)))
def test_mixed_pieces_of_parallel_calls_add_up(pieces: list[tuple[int, str]]) -> None:
    draft = CallsDraft("step_1")
    told: dict[int, str] = {}
    for number, arguments in pieces:
        for call in calls(draft.add(ToolCallPiece(number, f"call_{number}", "f", arguments), "call_new")):
            told[call["index"]] = told.get(call["index"], "") + call["function"]["arguments"]
    assert [call.arguments for call in draft.calls()] == [told[place] for place in range(len(told))]


def test_a_draft_takes_little_more_memory_than_its_text() -> None:
    draft = MessageDraft("msg_1")
    draft.add_text("first")
    tracemalloc.start()
    try:
        for number in range(20_000):
            draft.add_text(f" {number:05d}")
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert taken < 4 * 20_000 * 6


def test_a_draft_keeps_every_character() -> None:
    draft = MessageDraft("msg_1")
    for piece in ("a\r\n", "\r", "\n", "é", "\U0001f600", "\x00", ""):
        draft.add_text(piece)
    [part] = draft.content()
    assert isinstance(part, TextPart)
    assert part.text.value == "a\r\n\r\né\U0001f600\x00"
