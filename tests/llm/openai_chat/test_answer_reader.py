"""Bytes of every kind of server, read into the same pieces."""

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstead.domain.model_call import Finish, Piece, RefusalPiece, TextPiece, ToolCallPiece, UsagePiece
from runstead.llm.openai_chat.answer_reader import AnswerReader
from runstead.llm.openai_chat.failure import Failure
from runstead.wire.run import CompletionTokensDetails, PromptTokensDetails, Usage
from tests.llm.fake_upstream import chunk, sse

DONE = b"data: [DONE]\n\n"


def read(*parts: bytes, reader: AnswerReader | None = None) -> list[Piece]:
    reader = reader or AnswerReader()
    pieces = [piece for part in parts for piece in reader.feed(part)]
    return pieces + ([] if reader.done else reader.end())


def calls(*deltas: dict[str, Any]) -> list[Piece]:
    return read(sse(*(chunk({"tool_calls": [delta]}) for delta in deltas), chunk({}, "tool_calls")), DONE)


def test_text_of_one_read_is_one_piece() -> None:
    reader = AnswerReader()
    events = sse(chunk({"role": "assistant", "content": ""}), chunk({"content": "Hel"}), chunk({"content": "lo"}))
    assert reader.feed(events) == [TextPiece("Hello")]


def test_usage_comes_last_with_its_details() -> None:
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


def test_a_running_count_is_told_once_at_its_last() -> None:
    counts: list[dict[str, Any]] = [{"prompt_tokens": 4, "completion_tokens": number} for number in (1, 2)]
    told = read(sse(*(chunk({"content": "a"}, usage=count) for count in counts), chunk({}, "stop")), DONE)
    assert [piece for piece in told if isinstance(piece, UsagePiece)] == [
        UsagePiece(Usage(prompt_tokens=4, completion_tokens=2, total_tokens=6))
    ]


def test_usage_may_be_missing_null_or_hollow() -> None:
    usage: dict[str, Any] = {"prompt_tokens": None, "prompt_tokens_details": None, "completion_tokens_details": {}}
    told = read(sse(chunk({"content": "a"}, "stop", usage=None), chunk(usage=usage)), DONE)
    assert told[-1] == UsagePiece(Usage())
    assert not any(isinstance(piece, UsagePiece) for piece in read(sse(chunk({}, "stop")), DONE))


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
@pytest.mark.parametrize("space", [b"", b" "])
def test_what_is_no_data_is_passed_over(newline: bytes, space: bytes) -> None:
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
    assert read(newline.join(lines)) == [TextPiece("a"), Finish("stop")]


def test_only_the_first_choice_counts() -> None:
    both = {"choices": [{"index": 1, "delta": {"content": "b"}}, {"index": None, "delta": {"content": "a"}}]}
    assert read(sse(both, chunk({}, "stop")), DONE)[0] == TextPiece("a")


def test_text_around_a_call_keeps_its_place() -> None:
    call = {"index": 0, "id": "call_1", "function": {"name": "f", "arguments": "{}"}}
    told = read(
        sse(chunk({"content": "a"}), chunk({"tool_calls": [call], "content": "b"}), chunk({"content": "c"})), DONE
    )
    assert told[:3] == [TextPiece("ab"), ToolCallPiece(0, "call_1", "f", "{}"), TextPiece("c")]


def test_a_refusal_is_told_as_one() -> None:
    assert read(sse(chunk({"refusal": "No."}), chunk({}, "stop")), DONE)[0] == RefusalPiece("No.")


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("eos", "stop"),
        ("tool_calls", "stop"),
    ],
)
def test_every_finish_reason_becomes_one_of_ours(sent: str, told: str) -> None:
    assert Finish(told) in read(sse(chunk({"content": "a"}, sent)), DONE)  # type: ignore[arg-type]


@pytest.mark.parametrize("sent", ["stop", "tool_calls", "function_call"])
def test_an_answer_that_calls_finishes_with_tool_calls(sent: str) -> None:
    call = {"index": 0, "id": "call_1", "function": {"name": "f", "arguments": "{}"}}
    assert read(sse(chunk({"tool_calls": [call]}), chunk({}, sent)), DONE)[-1] == Finish("tool_calls")


def test_without_a_finish_reason_done_is_the_end() -> None:
    assert read(sse(chunk({"content": "a"})), DONE) == [TextPiece("a"), Finish("stop")]


def test_without_done_the_finish_reason_is_the_end() -> None:
    assert read(sse(chunk({"content": "a"}, "stop"))) == [TextPiece("a"), Finish("stop")]


def test_without_either_the_answer_is_broken() -> None:
    with pytest.raises(Failure, match="middle of its answer"):
        read(sse(chunk({"content": "a"})))


def test_the_last_line_may_miss_its_newline() -> None:
    assert read(sse(chunk({"content": "a"})).rstrip() + b"\n\ndata: [DONE]") == [TextPiece("a"), Finish("stop")]


def test_calls_come_in_pieces_and_in_parallel() -> None:
    assert calls(
        {"index": 0, "id": "call_a", "type": "function", "function": {"name": "f", "arguments": ""}},
        {"index": 0, "function": {"arguments": '{"x":'}},
        {"index": 0, "function": {"arguments": "1}"}},
        {"index": 1, "id": "call_b", "type": "function", "function": {"name": "g", "arguments": "{}"}},
    ) == [
        ToolCallPiece(0, "call_a", "f", ""),
        ToolCallPiece(0, arguments='{"x":'),
        ToolCallPiece(0, arguments="1}"),
        ToolCallPiece(1, "call_b", "g", "{}"),
        Finish("tool_calls"),
    ]


def test_a_repeated_id_and_name_is_the_same_call() -> None:
    first, more = calls(
        {"index": 0, "id": "call_a", "function": {"name": "f", "arguments": "{"}},
        {"index": 0, "id": "call_a", "function": {"name": "f", "arguments": "}"}},
    )[:2]
    assert (first, more) == (ToolCallPiece(0, "call_a", "f", "{"), ToolCallPiece(0, arguments="}"))


def test_empty_ids_and_names_are_none() -> None:
    first, more = calls(
        {"index": 0, "id": "call_a", "function": {"name": "f", "arguments": "{"}},
        {"index": 0, "id": "", "function": {"name": "", "arguments": "}"}},
    )[:2]
    assert (first, more) == (ToolCallPiece(0, "call_a", "f", "{"), ToolCallPiece(0, arguments="}"))


def test_whole_calls_that_all_claim_to_be_the_first_are_told_apart() -> None:
    one, two = calls(
        {"index": 0, "id": "call_a", "function": {"name": "f", "arguments": "{}"}},
        {"index": 0, "id": "call_b", "function": {"name": "f", "arguments": "{}"}},
    )[:2]
    assert (one, two) == (ToolCallPiece(0, "call_a", "f", "{}"), ToolCallPiece(1, "call_b", "f", "{}"))


def test_calls_without_index_and_id_are_numbered_and_named() -> None:
    one, more, two = calls(
        {"function": {"name": "f", "arguments": "{"}},
        {"function": {"arguments": "}"}},
        {"function": {"name": "f", "arguments": {"x": 1}}},
    )[:3]
    assert isinstance(one, ToolCallPiece)
    assert isinstance(two, ToolCallPiece)
    assert (one.index, one.name, more) == (0, "f", ToolCallPiece(0, arguments="}"))
    assert (two.index, two.name, two.arguments) == (1, "f", '{"x":1}')
    assert one.id != two.id
    assert re.fullmatch(r"call_[0-9A-Za-z]{24}", one.id or "")


def test_one_id_for_two_calls_is_given_once() -> None:
    one, two = calls(
        {"index": 0, "id": "call", "function": {"name": "f", "arguments": "{}"}},
        {"index": 1, "id": "call", "function": {"name": "g", "arguments": "{}"}},
    )[:2]
    assert isinstance(one, ToolCallPiece)
    assert isinstance(two, ToolCallPiece)
    assert one.id == "call" != two.id


def test_arguments_before_the_name_wait_for_it() -> None:
    assert calls(
        {"index": 0, "id": "call_a", "function": {"arguments": "{"}},
        {"index": 0, "function": {"name": "f", "arguments": "}"}},
    ) == [ToolCallPiece(0, "call_a", "f", "{}"), Finish("tool_calls")]


def test_an_old_function_call_is_a_call() -> None:
    told = read(
        sse(chunk({"function_call": {"name": "f", "arguments": ""}}), chunk({"function_call": {"arguments": "{}"}})),
        sse(chunk({}, "function_call")),
        DONE,
    )
    assert [piece.arguments for piece in told if isinstance(piece, ToolCallPiece)] == ["", "{}"]
    assert told[-1] == Finish("tool_calls")


def test_a_plain_answer_gives_the_same_pieces() -> None:
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


def test_a_plain_answer_needs_no_finish_reason() -> None:
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
        (b'data: {"choices": [{"delta": {"content": 5}}]}\n\n', "no chat completion"),
        (b'data: {"error": {"message": "It broke."}}\n\n', "It broke."),
        (b'event: error\ndata: {"error": "It broke."}\n\n', "It broke."),
        (b"error: It broke.\n\n", "It broke."),
        (b"data: " + b"[" * 100_000, "no chat completion"),
        (b'data: {"x": ' + b"[" * 100_000, "no chat completion"),
    ],
)
def test_what_is_no_answer_fails_in_words(body: bytes, words: str) -> None:
    with pytest.raises(Failure, match=words):
        read(body)


def test_an_error_in_the_stream_keeps_its_status() -> None:
    with pytest.raises(Failure) as failed:
        read(sse({"error": {"message": "Slow down.", "code": 429}}))
    assert (failed.value.status, failed.value.retryable) == (429, True)


def test_a_line_is_bounded() -> None:
    with pytest.raises(Failure, match="a line of more than 100 bytes"):
        read(b"data: " + b" " * 100, reader=AnswerReader(max_line_bytes=100))


@pytest.mark.parametrize("body", [b'{"choices": ', sse(chunk({"content": "a"})), b": comment\n"])
def test_an_answer_is_bounded(body: bytes) -> None:
    with pytest.raises(Failure, match="more than 500 bytes"):
        read(*[body] * 100, reader=AnswerReader(max_answer_bytes=500))


@given(st.data())
def test_where_the_network_cuts_does_not_matter(data: st.DataObject) -> None:
    body = sse(
        chunk({"content": "Grüße "}),
        chunk({"content": "🌍"}),
        chunk({"tool_calls": [{"index": 0, "id": "call_a", "function": {"name": "f", "arguments": "{}"}}]}),
        chunk({}, "tool_calls"),
    )
    body += DONE
    cuts = sorted(data.draw(st.sets(st.integers(1, len(body) - 1), max_size=8)))
    told = read(*(body[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(body)], strict=True)))
    assert "".join(piece.text for piece in told if isinstance(piece, TextPiece)) == "Grüße 🌍"
    assert told[-2:] == [ToolCallPiece(0, "call_a", "f", "{}"), Finish("tool_calls")]


def test_what_came_before_an_error_is_told_first() -> None:
    reader = AnswerReader()
    assert reader.feed(sse(chunk({"content": "Hello"}), {"error": "It broke."})) == [TextPiece("Hello")]
    with pytest.raises(Failure, match=r"It broke\."):
        reader.check()


def test_an_error_in_the_last_line_is_told_after_what_came_before_it() -> None:
    reader = AnswerReader()
    assert reader.feed(
        sse(chunk({"content": "Hello"})) + b'data: {"choices": [{"delta": {"content": "!"}}], "error": "No."}'
    ) == [TextPiece("Hello")]
    assert reader.end() == [TextPiece("!")]
    with pytest.raises(Failure, match=r"No\."):
        reader.check()
