"""Queries: how the parameters of a URL are decoded and refused."""

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


def test_an_empty_query_has_the_defaults() -> None:
    assert read(ListQuery, "") == ListQuery(limit=20, order=SortOrder.DESC, after=None, before=None)


def test_parameters_get_the_types_of_their_fields() -> None:
    query = read(MessageQuery, "limit=5&order=asc&after=msg_1&before=msg_2&run_id=run_1")
    assert query == MessageQuery(limit=5, order=SortOrder.ASC, after="msg_1", before="msg_2", run_id="run_1")


@pytest.mark.parametrize("name", ["include%5B%5D", "include[]", "include", "include[0]"])
def test_a_list_is_a_repeated_name_in_any_spelling(name: str) -> None:
    assert read(StepQuery, f"{name}={ENCODED}&{name}={ENCODED}") == StepQuery(include=[RESULTS, RESULTS])


def test_an_empty_value_is_ignored() -> None:
    assert read(ListQuery, "after=&limit=&order=") == ListQuery()
    assert read(EventQuery, "after=") == EventQuery()


def test_a_string_parameter_of_digits_stays_a_string() -> None:
    assert read(EventQuery, "after=17") == EventQuery(after="17")


def test_parameters_that_address_a_deployment_are_ignored() -> None:
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
def test_an_invalid_parameter_has_the_message_of_the_contract(
    kind: type[Struct], text: str, message: str, param: str, code: str
) -> None:
    with pytest.raises(BadRequest) as caught:
        read(kind, text)
    assert (caught.value.message, caught.value.param, caught.value.code) == (message, param, code)


@pytest.mark.parametrize("text", ["limit=1_0", "limit=٣", "limit=1.0", "limit= 5", "limit=0x10", "limit=1e1"])
def test_an_integer_is_plain_digits_only(text: str) -> None:
    with pytest.raises(BadRequest):
        read(ListQuery, text)
