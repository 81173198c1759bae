from urllib.parse import parse_qsl

import pytest
from msgspec import Struct

from runstead.wire.codec.request import decode_query
from runstead.wire.error import BadRequest
from runstead.wire.page import EventQuery, IncludeQuery, ListQuery, MessageQuery, StepQuery
from runstead.wire.run_step import Include
from runstead.wire.struct import SortOrder

RESULTS: Include = "step_details.tool_calls[*].file_search.results[*].content"
ENCODED = "step_details.tool_calls%5B%2A%5D.file_search.results%5B%2A%5D.content"


def read(kind: type[Struct], text: str) -> Struct:
    return decode_query(kind, parse_qsl(text, keep_blank_values=True))


def test_nothing_is_the_defaults() -> None:
    assert read(ListQuery, "") == ListQuery(limit=20, order=SortOrder.DESC, after=None, before=None)


def test_texts_become_what_the_fields_are() -> None:
    query = read(MessageQuery, "limit=5&order=asc&after=msg_1&before=msg_2&run_id=run_1")
    assert query == MessageQuery(limit=5, order=SortOrder.ASC, after="msg_1", before="msg_2", run_id="run_1")


@pytest.mark.parametrize("name", ["include%5B%5D", "include[]", "include", "include[0]"])
def test_a_list_is_its_name_repeated_in_any_spelling(name: str) -> None:
    assert read(StepQuery, f"{name}={ENCODED}&{name}={ENCODED}") == StepQuery(include=[RESULTS, RESULTS])


def test_an_empty_value_is_none() -> None:
    assert read(ListQuery, "after=&limit=&order=") == ListQuery()
    assert read(EventQuery, "after=") == EventQuery()


def test_a_number_where_text_is_meant_stays_text() -> None:
    assert read(EventQuery, "after=17") == EventQuery(after="17")


def test_what_addresses_a_deployment_is_no_parameter() -> None:
    assert read(ListQuery, "api-version=2024-05-01-preview&limit=3") == ListQuery(limit=3)


@pytest.mark.parametrize(
    ("kind", "text", "message", "param", "code"),
    [
        (
            ListQuery, "limit=101",
            "Invalid 'limit': integer above maximum value. Expected a value <= 100, but got 101 instead.",
            "limit", "integer_above_max_value",
        ),
        (
            ListQuery, "limit=0",
            "Invalid 'limit': integer below minimum value. Expected a value >= 1, but got 0 instead.",
            "limit", "integer_below_min_value",
        ),
        (
            ListQuery, "limit=ten",
            "Invalid type for 'limit': expected an integer, but got a string instead.", "limit", "invalid_type",
        ),
        (
            ListQuery, "order=up",
            "Invalid value: 'up'. Supported values are: 'asc' and 'desc'.", "order", "invalid_value",
        ),
        (ListQuery, "foo=1", "Unknown parameter: 'foo'.", "foo", "unknown_parameter"),
        (ListQuery, "after[]=x", "Unknown parameter: 'after[]'.", "after[]", "unknown_parameter"),
        (
            IncludeQuery, "include[]=everything",
            f"Invalid value: 'everything'. Supported values are: '{RESULTS}'.", "include[0]", "invalid_value",
        ),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_refused_in_words(
    kind: type[Struct], text: str, message: str, param: str, code: str
) -> None:
    with pytest.raises(BadRequest) as caught:
        read(kind, text)
    assert (caught.value.message, caught.value.param, caught.value.code) == (message, param, code)


@pytest.mark.parametrize("text", ["limit=1_0", "limit=٣", "limit=1.0", "limit= 5", "limit=0x10", "limit=1e1"])
def test_only_plain_digits_are_a_number(text: str) -> None:
    with pytest.raises(BadRequest):
        read(ListQuery, text)
