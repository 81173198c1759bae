"""How large an attribute filter may be."""

import msgspec
import pytest

from runstead.domain.filter_size import MAX_DEPTH, MAX_VALUES, check_filter
from runstead.wire.codec.request import decode_request
from runstead.wire.error import BadRequest
from runstead.wire.filter import AndFilter, EqualFilter, Filter, InFilter
from runstead.wire.struct import Request


class Search(Request, frozen=True, kw_only=True):
    filters: Filter


def nested(depth: int) -> Filter:
    given: Filter = EqualFilter(key="a", value=1)
    for _ in range(depth):
        given = AndFilter(filters=[given])
    return given


def test_a_filter_may_be_nested_16_times() -> None:
    check_filter(nested(MAX_DEPTH))
    with pytest.raises(BadRequest, match=r"Invalid 'filters(\.filters\[0\]){16}': filters may be nested to a depth"):
        check_filter(nested(MAX_DEPTH + 1))


def test_a_filter_has_a_bounded_number_of_values() -> None:
    half: Filter = InFilter(key="a", value=list(range(MAX_VALUES // 2)))
    check_filter(AndFilter(filters=[half, half]))
    with pytest.raises(BadRequest, match="Invalid 'filters': a filter may have at most 2000 values"):
        check_filter(AndFilter(filters=[half, half, nested(0)]))


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ('{"key": "a", "value": 1}', "Missing required parameter: 'filters.type'."),
        ('{"type": "eq", "value": 1}', "Missing required parameter: 'filters.key'."),
        ('{"type": "is", "key": "a", "value": 1}', "Invalid value: 'is'. Supported values are: 'eq', 'ne', 'gt',"),
        ('{"type": "eq", "key": "a", "value": [1]}', "Invalid type for 'filters.value': expected one of"),
        ('{"type": "gt", "key": "a", "value": true}', "Invalid type for 'filters.value': expected one of"),
        ('{"type": "in", "key": "a", "value": "b"}', "Invalid type for 'filters.value': expected an array of"),
        ('{"type": "in", "key": "a", "value": [{}]}', r"Invalid type for 'filters.value\[0\]'"),
        ('{"type": "and", "filters": []}', "Invalid 'filters.filters': empty array."),
        ('{"type": "or", "filters": [{"type": "eq", "key": 1, "value": 1}]}', r"'filters.filters\[0\].key'"),
        ('{"type": "eq", "key": "' + "k" * 65 + '", "value": 1}', "Invalid 'filters.key': string too long"),
    ],
)
def test_an_invalid_filter_is_refused_with_its_place(filters: str, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        decode_request(Search, f'{{"filters": {filters}}}'.encode())


def test_a_filter_is_sent_as_it_is_read() -> None:
    raw = (
        b'{"type":"or","filters":[{"type":"in","key":"a","value":["x",1.5,true]},{"type":"lt","key":"b","value":2.5}]}'
    )
    read = msgspec.json.decode(raw, type=Filter)
    assert msgspec.json.encode(read) == raw
