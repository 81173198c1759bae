"""Changes, and the combination of two."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from runstead.domain.run.change import Change, combine
from tests.domain.things import run

LISTS = [name for name in Change.__struct_fields__ if isinstance(getattr(Change(run=run()), name), tuple)]
VALUES = [name for name in Change.__struct_fields__ if name not in {"run", *LISTS}]

lists = st.lists(st.integers(), max_size=3)
values = st.one_of(st.just(UNSET), st.integers(), st.text(max_size=3))
said = st.fixed_dictionaries({**dict.fromkeys(LISTS, lists), **dict.fromkeys(VALUES, values)})


def test_every_field_but_the_run_is_a_list_or_may_be_left_unsaid() -> None:
    unsaid = Change(run=run())
    assert [getattr(unsaid, name) for name in VALUES] == [UNSET] * len(VALUES)
    assert {*LISTS, *VALUES, "run"} == set(Change.__struct_fields__)


@given(said, said)
def test_combined_changes_have_the_fields_of_both(first: dict[str, Any], second: dict[str, Any]) -> None:
    before, after = run(), run(metadata={"a": "b"})
    both = combine(Change(run=before, **first), Change(run=after, **second))
    assert both.run is after
    for name in LISTS:
        assert list(getattr(both, name)) == [*first[name], *second[name]]
    for name in VALUES:
        assert getattr(both, name) == (first[name] if second[name] is UNSET else second[name])


@given(said)
def test_a_change_combined_with_one_that_says_nothing_is_the_same(given: dict[str, Any]) -> None:
    change, nothing = Change(run=run(), **given), Change(run=run())
    assert combine(change, nothing) == combine(nothing, change) == change
