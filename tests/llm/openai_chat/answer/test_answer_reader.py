"""Answers of all kinds of servers are parsed into the same pieces."""

import gc
import re
import weakref
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstead.domain.model_call import Finish, Piece, RefusalPiece, TextPiece, ThinkingPiece, ToolCallPiece, UsagePiece
from runstead.llm.openai_chat.answer.answer_reader import AnswerReader
from runstead.model_server.failure import Failure
from runstead.wire.run import CompletionTokensDetails, PromptTokensDetails, Usage
from tests.llm.fake_upstream import chunk, sse

DONE = b"data: [DONE]\n\n"


def read(*parts: bytes, reader: AnswerReader | None = None) -> list[Piece]:
    reader = reader or AnswerReader()
    pieces = [piece for part in parts for piece in fed(reader, part)]
    return pieces + ([] if reader.done else [piece for batch in reader.end() for piece in batch])


def fed(reader: AnswerReader, data: bytes) -> list[Piece]:
    return [piece for batch in reader.feed(data) for piece in batch]


def calls(*deltas: dict[str, Any]) -> list[Piece]:
    return read(sse(*(chunk({"tool_calls": [delta]}) for delta in deltas), chunk({}, "tool_calls")), DONE)


def test_text_of_one_read_is_one_piece() -> None:
    reader = AnswerReader()
    events = sse(chunk({"role": "assistant", "content": ""}), chunk({"content": "Hel"}), chunk({"content": "lo"}))
    assert fed(reader, events) == [TextPiece("Hello")]


def test_usage_is_the_last_piece_and_has_its_details() -> None:
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 15,
        "prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    assert read(sse(chunk({"content": "a"}, "stop"), chunk(usage=usage)), DONE) == [
        TextPiece("a"),
        Finish("stop"),
        UsagePiece(
            Usage(
                prompt_tokens=10,
                completion_tokens=5,
                total_tokens=15,
                prompt_token_details=PromptTokensDetails(cached_tokens=8),
                completion_tokens_details=CompletionTokensDetails(reasoning_tokens=3),
            )
        ),
    ]


def test_of_running_totals_only_the_last_is_reported() -> None:
    counts: list[dict[str, Any]] = [{"prompt_tokens": 4, "completion_tokens": number} for number in (1, 2)]
    pieces = read(sse(*(chunk({"content": "a"}, usage=count) for count in counts), chunk({}, "stop")), DONE)
    assert [piece for piece in pieces if isinstance(piece, UsagePiece)] == [
        UsagePiece(Usage(prompt_tokens=4, completion_tokens=2, total_tokens=6))
    ]


def test_usage_can_be_missing_null_or_partial() -> None:
    usage: dict[str, Any] = {"prompt_tokens": None, "prompt_tokens_details": None, "completion_tokens_details": {}}
    pieces = read(sse(chunk({"content": "a"}, "stop", usage=None), chunk(usage=usage)), DONE)
    assert pieces == [TextPiece("a"), Finish("stop")]
    assert not any(isinstance(piece, UsagePiece) for piece in read(sse(chunk({}, "stop")), DONE))


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
@pytest.mark.parametrize("space", [b"", b" "])
def test_sse_fields_other_than_data_are_ignored(newline: bytes, space: bytes) -> None:
    body = b'data:%s{"choices":[{"delta":{"content":"a","reasoning_content":"hm"},"finish_reason":"stop"}]}' % space
    lines = [
        b": comment",
        b"event: message",
        b"id: 1",
        b"retry: 5",
        b"data:",
        b"",
        body,
        b"",
        b"data: [DONE]",
        b"",
        b"",
    ]
    assert read(newline.join(lines)) == [TextPiece("a"), ThinkingPiece("hm"), Finish("stop")]


def test_only_the_first_choice_counts() -> None:
    both = {"choices": [{"index": 1, "delta": {"content": "b"}}, {"index": None, "delta": {"content": "a"}}]}
    assert read(sse(both, chunk({}, "stop")), DONE)[0] == TextPiece("a")


def test_text_around_a_call_keeps_its_place() -> None:
    call = {"index": 0, "id": "call_1", "function": {"name": "f", "arguments": "{}"}}
    pieces = read(
        sse(chunk({"content": "a"}), chunk({"tool_calls": [call], "content": "b"}), chunk({"content": "c"})), DONE
    )
    assert pieces[:3] == [TextPiece("ab"), ToolCallPiece(0, "call_1", "f"), TextPiece("c")]


def test_a_refusal_is_a_refusal_piece() -> None:
    assert read(sse(chunk({"refusal": "No."}), chunk({}, "stop")), DONE)[0] == RefusalPiece("No.")


@pytest.mark.parametrize(
    ("sent", "mapped"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("eos", "stop"),
        ("tool_calls", "stop"),
    ],
)
def test_every_finish_reason_is_mapped(sent: str, mapped: str) -> None:
    assert Finish(mapped) in read(sse(chunk({"content": "a"}, sent)), DONE)  # type: ignore[arg-type]


@pytest.mark.parametrize("sent", ["stop", "tool_calls", "function_call"])
def test_an_answer_with_a_call_finishes_with_tool_calls(sent: str) -> None:
    call = {"index": 0, "id": "call_1", "function": {"name": "f", "arguments": "{}"}}
    assert read(sse(chunk({"tool_calls": [call]}), chunk({}, sent)), DONE)[-1] == Finish("tool_calls")


def test_without_a_finish_reason_done_ends_the_answer() -> None:
    assert read(sse(chunk({"content": "a"})), DONE) == [TextPiece("a"), Finish("stop")]


def test_without_done_the_finish_reason_ends_the_answer() -> None:
    assert read(sse(chunk({"content": "a"}, "stop"))) == [TextPiece("a"), Finish("stop")]


def test_without_done_and_finish_reason_the_answer_is_incomplete() -> None:
    with pytest.raises(Failure, match="middle of its answer"):
        read(sse(chunk({"content": "a"})))


def test_the_last_line_needs_no_newline() -> None:
    assert read(sse(chunk({"content": "a"})).rstrip() + b"\n\ndata: [DONE]") == [TextPiece("a"), Finish("stop")]


def test_parallel_calls_are_streamed_in_pieces() -> None:
    assert calls(
        {"index": 0, "id": "call_a", "type": "function", "function": {"name": "f", "arguments": ""}},
        {"index": 0, "function": {"arguments": '{"x":'}},
        {"index": 0, "function": {"arguments": "1}"}},
        {"index": 1, "id": "call_b", "type": "function", "function": {"name": "g", "arguments": "{}"}},
    ) == [
        ToolCallPiece(0, "call_a", "f", '{"x":1}'),
        ToolCallPiece(1, "call_b", "g", "{}"),
        Finish("tool_calls"),
    ]


def test_a_repeated_id_and_name_continue_the_call() -> None:
    first = calls(
        {"index": 0, "id": "call_a", "function": {"name": "f", "arguments": "{"}},
        {"index": 0, "id": "call_a", "function": {"name": "f", "arguments": "}"}},
    )[0]
    assert first == ToolCallPiece(0, "call_a", "f", "{}")


def test_empty_ids_and_names_count_as_missing() -> None:
    first = calls(
        {"index": 0, "id": "call_a", "function": {"name": "f", "arguments": "{"}},
        {"index": 0, "id": "", "function": {"name": "", "arguments": "}"}},
    )[0]
    assert first == ToolCallPiece(0, "call_a", "f", "{}")


def test_whole_calls_with_the_same_index_are_separate_calls() -> None:
    one, two = calls(
        {"index": 0, "id": "call_a", "function": {"name": "f", "arguments": "{}"}},
        {"index": 0, "id": "call_b", "function": {"name": "f", "arguments": "{}"}},
    )[:2]
    assert (one, two) == (ToolCallPiece(0, "call_a", "f", "{}"), ToolCallPiece(1, "call_b", "f", "{}"))


def test_calls_without_index_and_id_get_both() -> None:
    one, two = calls(
        {"function": {"name": "f", "arguments": '{"x":'}},
        {"function": {"arguments": "0}"}},
        {"function": {"name": "f", "arguments": {"x": 1}}},
    )[:2]
    assert isinstance(one, ToolCallPiece)
    assert isinstance(two, ToolCallPiece)
    assert (one.index, one.name, one.arguments) == (0, "f", '{"x":0}')
    assert (two.index, two.name, two.arguments) == (1, "f", '{"x":1}')
    assert one.id != two.id
    assert re.fullmatch(r"call_[0-9A-Za-z]{24}", one.id or "")


def test_a_second_call_with_the_same_id_gets_a_new_id() -> None:
    one, two = calls(
        {"index": 0, "id": "call", "function": {"name": "f", "arguments": "{}"}},
        {"index": 1, "id": "call", "function": {"name": "g", "arguments": "{}"}},
    )[:2]
    assert isinstance(one, ToolCallPiece)
    assert isinstance(two, ToolCallPiece)
    assert one.id == "call" != two.id


def test_arguments_before_the_name_are_kept_for_the_first_piece() -> None:
    assert calls(
        {"index": 0, "id": "call_a", "function": {"arguments": "{"}},
        {"index": 0, "function": {"name": "f", "arguments": "}"}},
    ) == [ToolCallPiece(0, "call_a", "f", "{}"), Finish("tool_calls")]


def test_a_legacy_function_call_is_a_tool_call() -> None:
    pieces = read(
        sse(chunk({"function_call": {"name": "f", "arguments": ""}}), chunk({"function_call": {"arguments": "{}"}})),
        sse(chunk({}, "function_call")),
        DONE,
    )
    assert [piece.arguments for piece in pieces if isinstance(piece, ToolCallPiece)] == ["{}"]
    assert pieces[-1] == Finish("tool_calls")


def test_an_unstreamed_answer_gives_the_same_pieces() -> None:
    call = {"id": "call_a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    message = {"role": "assistant", "content": "Hello", "tool_calls": [call]}
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    body = b"\n " + msgspec.json.encode({"choices": [choice], "usage": usage})
    assert read(body[:30], body[30:]) == [
        TextPiece("Hello"),
        ToolCallPiece(0, "call_a", "f", "{}"),
        Finish("tool_calls"),
        UsagePiece(Usage(prompt_tokens=1, completion_tokens=2, total_tokens=3)),
    ]


def test_an_unstreamed_answer_needs_no_finish_reason() -> None:
    assert read(b'{"choices":[{"message":{"content":"a"}}]}') == [TextPiece("a"), Finish("stop")]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty answer"),
        (b" \n", "no chat completion"),
        (b"<html>Hello</html>", "no chat completion"),
        (b'{"models": []}', "without choices"),
        (b'{"error": {"message": "It broke."}}', "It broke."),
        (b'{"choices": [', "no chat completion"),
        (b"data: {broken\n\n", "no chat completion"),
        (b'data: {"error": {"message": "It broke."}}\n\n', "It broke."),
        (b'event: error\ndata: {"error": "It broke."}\n\n', "It broke."),
        (b"error: It broke.\n\n", "It broke."),
        (b"data: " + b"[" * 10_000, "more than 128 levels deep"),
        (b'data: {"x": ' + b"[" * 10_000, "more than 128 levels deep"),
    ],
)
def test_an_answer_that_is_no_chat_completion_fails_with_a_reason(body: bytes, words: str) -> None:
    with pytest.raises(Failure, match=words):
        read(body)


def test_an_error_in_the_stream_keeps_its_status() -> None:
    with pytest.raises(Failure) as failed:
        read(sse({"error": {"message": "Slow down.", "code": 429}}))
    assert (failed.value.status, failed.value.retryable) == (429, True)


@pytest.mark.parametrize("body", [b'{"choices": ', sse(chunk({"content": "a"})), b": comment\n"])
def test_the_length_of_an_answer_is_limited(body: bytes) -> None:
    with pytest.raises(Failure, match="more than 500 bytes"):
        read(*[body] * 100, reader=AnswerReader(max_answer_bytes=500))


@given(st.data())
def test_the_boundaries_of_reads_do_not_matter(data: st.DataObject) -> None:
    body = sse(
        chunk({"content": "Grüße "}),
        chunk({"content": "🌍"}),
        chunk({"tool_calls": [{"index": 0, "id": "call_a", "function": {"name": "f", "arguments": "{}"}}]}),
        chunk({}, "tool_calls"),
    )
    body += DONE
    cuts = sorted(data.draw(st.sets(st.integers(1, len(body) - 1), max_size=8)))
    pieces = read(*(body[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(body)], strict=True)))
    assert "".join(piece.text for piece in pieces if isinstance(piece, TextPiece)) == "Grüße 🌍"
    assert pieces[-2:] == [ToolCallPiece(0, "call_a", "f", "{}"), Finish("tool_calls")]


def test_pieces_before_an_error_are_returned_first() -> None:
    batches = AnswerReader().feed(sse(chunk({"content": "Hello"}), {"error": "It broke."}))
    assert next(batches) == [TextPiece("Hello")]
    with pytest.raises(Failure, match=r"It broke\."):
        next(batches)


def test_an_error_in_the_last_line_is_raised_after_its_pieces() -> None:
    reader = AnswerReader()
    last = b'data: {"choices": [{"delta": {"content": "!"}}], "error": "No."}'
    assert fed(reader, sse(chunk({"content": "Hello"})) + last) == [TextPiece("Hello")]
    batches = reader.end()
    assert next(batches) == [TextPiece("!")]
    with pytest.raises(Failure, match=r"No\."):
        next(batches)


@pytest.mark.parametrize(
    "deltas",
    [
        [{"content": "Hel"}, {"content": "lo"}],
        [{"content": "<think>hm</think>"}, {"refusal": "no"}],
        [{"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}]}],
    ],
)
def test_a_read_answer_is_freed_without_the_garbage_collector(deltas: list[dict[str, Any]]) -> None:
    reader = AnswerReader()
    gc.disable()
    try:
        read(sse(*(chunk(delta) for delta in deltas), chunk({}, "stop")), DONE, reader=reader)
        freed = weakref.ref(reader)
        del reader
        assert freed() is None
    finally:
        gc.enable()
