"""Every operator of an attribute filter, over both databases, against a plain reading of the rules."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runstead.domain.filter_size import MAX_DEPTH, check_filter
from runstead.retrieval.index.port import Index
from runstead.wire.filter import AndFilter, EqualFilter, Filter, NotEqualFilter, OrFilter
from tests.contract.index.adapters import ADAPTERS, Adapter
from tests.contract.index.conftest import named
from tests.contract.index.passages import entry, fill, search

FILES: dict[str, Mapping[str, str | float | bool]] = {
    "none": {},
    "one": {"n": 1, "s": "b", "flag": True, "it's": "quoted"},
    "two": {"n": 2.5, "s": "B", "flag": False},
    "minus": {"n": -1, "s": "ä"},
    "text": {"n": "1", "s": "", "flag": "true"},
    "large": {"n": 1e300, "s": "\U0001f98a"},
}


def matches(given: Filter, attributes: Mapping[str, Any]) -> bool:
    if isinstance(given, AndFilter):
        return all(matches(inner, attributes) for inner in given.filters)
    if isinstance(given, OrFilter):
        return any(matches(inner, attributes) for inner in given.filters)
    operator = str(given.__struct_config__.tag)
    value = attributes.get(given.key)
    if operator in {"eq", "ne"}:
        return same(value, given.value) == (operator == "eq")
    if operator in {"in", "nin"}:
        assert isinstance(given.value, list)
        return any(same(value, each) for each in given.value) == (operator == "in")
    if value is None or isinstance(value, bool) or isinstance(value, str) != isinstance(given.value, str):
        return False
    compared: Any = given.value
    return bool(
        {"gt": value > compared, "gte": value >= compared, "lt": value < compared, "lte": value <= compared}[operator]
    )


def same(value: Any, other: Any) -> bool:
    if isinstance(value, bool) or isinstance(other, bool) or isinstance(value, str) or isinstance(other, str):
        return type(value) is type(other) and value == other
    return value is not None and float(value) == float(other)


def read(raw: str) -> Filter:
    filters: Filter = msgspec.json.decode(raw.encode(), type=Filter)
    return filters


MATCHES = [
    ('{"type":"eq","key":"n","value":1}', "one"),
    ('{"type":"eq","key":"n","value":"1"}', "text"),
    ('{"type":"eq","key":"s","value":"b"}', "one"),
    ('{"type":"eq","key":"s","value":""}', "text"),
    ('{"type":"eq","key":"flag","value":true}', "one"),
    ('{"type":"eq","key":"flag","value":1}', ""),
    ('{"type":"eq","key":"it\'s","value":"quoted"}', "one"),
    ('{"type":"ne","key":"n","value":1}', "none two minus text large"),
    ('{"type":"ne","key":"flag","value":false}', "none one minus text large"),
    ('{"type":"gt","key":"n","value":1}', "two large"),
    ('{"type":"gte","key":"n","value":1}', "one two large"),
    ('{"type":"lt","key":"n","value":1}', "minus"),
    ('{"type":"lte","key":"n","value":1}', "one minus"),
    ('{"type":"gt","key":"s","value":"b"}', "minus large"),
    ('{"type":"gte","key":"s","value":"b"}', "one minus large"),
    ('{"type":"lt","key":"s","value":"b"}', "two text"),
    ('{"type":"lte","key":"s","value":"B"}', "two text"),
    ('{"type":"in","key":"n","value":[1,"1",true]}', "one text"),
    ('{"type":"in","key":"flag","value":[false,"true"]}', "two text"),
    ('{"type":"in","key":"n","value":[]}', ""),
    ('{"type":"nin","key":"n","value":[]}', "none one two minus text large"),
    ('{"type":"nin","key":"n","value":[1,2.5,-1]}', "none text large"),
    (
        '{"type":"and","filters":[{"type":"gt","key":"n","value":0},{"type":"or","filters":['
        '{"type":"eq","key":"s","value":"b"},{"type":"eq","key":"flag","value":false}]}]}',
        "one two",
    ),
    (
        '{"type":"or","filters":[{"type":"and","filters":[{"type":"eq","key":"n","value":1},'
        '{"type":"eq","key":"s","value":"x"}]},{"type":"eq","key":"n","value":-1}]}',
        "minus",
    ),
    ('{"type":"eq","key":"n\' OR 1=1 --","value":"$1"}', ""),
]
"""Filters, each with the files that match."""


async def test_filters_match(index: Index) -> None:
    for file_id, attributes in FILES.items():
        await fill(index, entry(file_id), [f"passage of {file_id}"], attributes)
    await fill(index, entry("one", store="vs_2"), ["passage elsewhere"], FILES["one"])
    for raw, expected in MATCHES:
        filters = read(raw)
        hits = await search(index, "passage", filters=filters)
        assert {hit.file_id for hit in hits} == set(expected.split()), raw
        assert {file_id for file_id, has in FILES.items() if matches(filters, has)} == set(expected.split()), raw


keys = st.sampled_from(["n", "s", "flag", "absent"])
values = st.sampled_from([0, 1, 2.5, -1, 1e300, "", "b", "B", "ä", "1", "true", True, False])
ordered = values.filter(lambda value: not isinstance(value, bool))
comparisons = st.one_of(
    st.fixed_dictionaries({"type": st.sampled_from(["eq", "ne"]), "key": keys, "value": values}),
    st.fixed_dictionaries({"type": st.sampled_from(["gt", "gte", "lt", "lte"]), "key": keys, "value": ordered}),
    st.fixed_dictionaries({"type": st.sampled_from(["in", "nin"]), "key": keys, "value": st.lists(values, max_size=4)}),
)
nested = st.recursive(
    comparisons,
    lambda inner: st.fixed_dictionaries(
        {"type": st.sampled_from(["and", "or"]), "filters": st.lists(inner, min_size=1, max_size=3)}
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("adapter", ADAPTERS, ids=named)
def test_any_filter_matches_as_the_rules_say(adapter: Adapter, tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        index = adapter.make(tmp_path)

        async def prepare() -> None:
            await adapter.prepare(tmp_path)
            await index.start()
            for file_id, attributes in FILES.items():
                await fill(index, entry(file_id), [f"passage of {file_id}"], attributes)

        runner.run(prepare())

        @given(raw=nested)
        @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
        def check(raw: dict[str, Any]) -> None:
            filters: Filter = msgspec.convert(raw, Filter)
            hits = runner.run(search(index, "passage", filters=filters))
            assert {hit.file_id for hit in hits} == {file for file, has in FILES.items() if matches(filters, has)}

        check()
        runner.run(index.stop())


async def test_a_filter_decides_before_the_limit_does(index: Index) -> None:
    """The best hit of a filtered search is found behind any number of better ones that the filter excludes."""
    for number in range(60):
        texts = [f"heron {part}" for part in range(5)]
        await fill(index, entry(f"file_{number}"), texts, {"number": number}, seeds=["heron"] * 5)
    await fill(index, entry("last"), ["a heron in passing, far from water"], {"number": 60}, seeds=["water"])
    hits = await search(index, "heron", seed="heron", limit=3, filters=read('{"type":"gte","key":"number","value":60}'))
    assert [hit.file_id for hit in hits] == ["last"]


async def test_the_widest_and_deepest_filter_is_answered(index: Index) -> None:
    """SQLite refuses expressions of more than 1,000 levels."""
    await fill(index, entry("file"), ["a heron"], {"n": 1})
    filters: Filter = EqualFilter(key="n", value=1)
    for depth in range(MAX_DEPTH):
        others = [NotEqualFilter(key="n", value=2)] * 99
        filters = AndFilter(filters=[filters, *others]) if depth % 2 else OrFilter(filters=[filters, *others])
    check_filter(filters)
    assert len(await search(index, "heron", filters=filters)) == 1
