"""Whatever a model server sends, the reader gives whole pieces or fails in words, and nothing depends on the reads."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runstead.domain.model_call import Piece
from runstead.llm.openai_chat.answer.answer_reader import AnswerReader
from runstead.model_server.failure import Failure
from tests.llm.openai_chat.conformance import calls_table, stream_table, text_table
from tests.llm.openai_chat.conformance.case import Case, right_of

NAMES = st.sampled_from([
    "choices", "index", "delta", "message", "text", "content", "finish_reason", "tool_calls", "function_call", "id",
    "function", "name", "arguments", "refusal", "reasoning_content", "reasoning_details", "type", "thinking", "usage",
    "prompt_tokens", "completion_tokens", "prompt_tokens_details", "error", "code", "status", "base_resp", "x_groq",
    "object", "extra_content", "retry_after", "signature", "data",
])  # fmt: skip
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-1, 2**70)
    | st.floats()
    | st.sampled_from(
        ["", " ", "stop", "error", "429", "<think>", "</think>", "{}", '{"a":', "null", "\ud83d", "\udc80"]
    )
)
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=5), max_leaves=40
)
CHOICES = st.dictionaries(st.sampled_from(["delta", "message", "finish_reason", "index"]), DOCUMENTS, max_size=4)
ANSWERS = st.lists(DOCUMENTS | CHOICES.map(lambda choice: {"choices": [choice]}), max_size=6)


def read(data: bytes, *cuts: int) -> list[Piece]:
    """The pieces of a body that arrives in these parts."""
    reader = AnswerReader("origin")
    pieces: list[Piece] = []
    for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        if not reader.done:
            pieces += [piece for batch in reader.feed(data[begin:end]) for piece in batch]
    if not reader.done:
        pieces += [piece for batch in reader.end() for piece in batch]
    return pieces


@settings(max_examples=400)
@given(ANSWERS, st.booleans())
@example([{"choices": [{"delta": {"content": {"type": []}}}]}], False)
@example([{"choices": [{"delta": {"tool_calls": [{"function": {"arguments": "\ud83d"}}]}}]}], True)
def test_any_document_is_read_or_fails_in_words(answer: list[Any], streamed: bool) -> None:
    events = [f"data: {json.dumps(each)}\n\n" for each in answer]
    body = "".join(events) + "data: [DONE]\n\n" if streamed else json.dumps(answer)
    try:
        result = msgspec.json.encode(read(body.encode()))
    except Failure as failure:
        result = msgspec.json.encode(failure.message())
    assert msgspec.json.decode(result), "it can be stored"


@given(st.binary(max_size=200))
def test_any_bytes_fail_in_words(body: bytes) -> None:
    for prefix in (b"", b"data: ", b'data: {"choices":[{"delta":{"content":"'):
        with pytest.raises(Failure) as failed:
            read(prefix + body)
        assert failed.value.message()


WHOLE = [
    case
    for case in (*text_table.CASES, *calls_table.CASES, *stream_table.LINES, *stream_table.CHARACTERS)
    if case.bodies[0].streamed and len(case.bodies[0].data) < 10_000
]


@given(st.sampled_from(WHOLE), st.data())
def test_the_reads_do_not_matter(case: Case, data: st.DataObject) -> None:
    body = case.bodies[0].data
    cuts = sorted(data.draw(st.sets(st.integers(1, len(body) - 1), max_size=5)))
    try:
        whole = read(body)
    except Failure:
        with pytest.raises(Failure):
            read(body, *cuts)
    else:
        ids = [id for id, _, _ in getattr(case.right, "calls", ())]
        assert right_of(read(body, *cuts), ids) == right_of(whole, ids)
