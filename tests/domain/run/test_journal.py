"""A step's journal is stored where the step alone does not say it all, and read the same in any case."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from runstead.domain.chat.assembly import function_call
from runstead.domain.run.journal import Call, StepRow, decode_journal, encode_journal, from_wire, required
from runstead.wire.run_step import FileSearch, FileSearchCall, RunStep, ToolCall, ToolCallsDetails
from tests.domain.things import call, calls_step, text_step

TEXT = st.text(st.characters(codec="utf-8"), max_size=5)
CALLS = st.builds(
    Call,
    id=TEXT,
    name=TEXT,
    arguments=TEXT,
    tool=st.sampled_from(["function", "file_search"]),
    output=st.none() | TEXT,
    attempts=st.integers(0, 3),
).map(lambda made: replace(made, status="asked" if made.output is None else "completed"))
CARRIED = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
)


def showing(calls: list[Call]) -> RunStep:
    """A step as it shows these calls."""
    shown: list[ToolCall] = [
        function_call(each)
        if each.for_client
        else FileSearchCall(id=each.id, file_search=FileSearch(ranking_options={}))
        for each in calls
    ]
    return replace(calls_step().step, step_details=ToolCallsDetails(tool_calls=shown))


def again(row: StepRow) -> StepRow:
    """The row, as it is read after it was stored."""
    body, journal = msgspec.json.encode(row.step), encode_journal(row)
    return decode_journal(msgspec.json.decode(body, type=RunStep), journal)


@given(st.lists(CALLS, max_size=4, unique_by=lambda each: each.id), CARRIED, st.none() | TEXT)
def test_a_stored_step_is_read_unchanged(calls: list[Call], carried: Any, followed_by: str | None) -> None:
    row = StepRow(step=showing(calls), calls=calls, carried=carried, followed_by=followed_by)
    read = again(row)
    assert (read.step, list(read.calls), read.carried, read.followed_by) == (row.step, calls, carried, followed_by)


@pytest.mark.parametrize("row", [text_step("msg_1"), calls_step(), calls_step(call("a", None), call("b", "sunny"))])
def test_a_step_that_says_it_all_needs_no_journal(row: StepRow) -> None:
    assert encode_journal(row) is None
    assert decode_journal(row.step, None) == row


def test_a_step_from_before_there_were_journals_has_the_calls_that_it_shows() -> None:
    calls = from_wire(calls_step(call("a", None), call("b", "")).step).calls
    assert [(each.id, each.tool, each.output, each.status) for each in calls] == [
        ("a", "function", None, "asked"),
        ("b", "function", "", "completed"),
    ]


def test_an_output_that_a_version_without_journals_took_counts() -> None:
    asked = replace(from_wire(calls_step(call("a", None), status="in_progress").step), carried={"b": 1})
    answered = calls_step(call("a", "sunny")).step
    read = decode_journal(answered, encode_journal(asked))
    assert [(each.output, each.status) for each in read.calls] == [("sunny", "completed")]
    assert read.carried == {"b": 1}


def test_the_client_is_asked_for_a_call_in_the_words_of_the_model() -> None:
    [asked] = required([Call(id="call_a", name="weather", arguments='{"city":')])
    assert (asked.id, asked.function.name, asked.function.arguments) == ("call_a", "weather", '{"city":')
