"""How ids are made and checked."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstead.domain import ids
from runstead.wire.error import BadRequest

CHANCE = st.binary(min_size=16, max_size=16)
MOMENT = st.integers(0, 2**42)


@given(MOMENT, CHANCE)
def test_an_id_is_a_prefix_and_24_letters_and_digits(moment: int, chance: bytes) -> None:
    assert re.fullmatch("run_[0-9A-Za-z]{24}", ids.make("run", moment, chance))


@given(MOMENT, MOMENT, CHANCE, CHANCE)
def test_ids_sort_by_time(early: int, late: int, one: bytes, other: bytes) -> None:
    early, late = sorted((early, late))
    if early < late:
        assert ids.make("run", early, one).encode() < ids.make("run", late, other).encode()


@given(CHANCE, st.integers(0, 15), st.integers(0, 255 - 61), st.integers(1, 61))
def test_each_random_byte_decides_one_character(chance: bytes, place: int, byte: int, distance: int) -> None:
    one, other = (chance[:place] + bytes([value]) + chance[place + 1 :] for value in (byte, byte + distance))
    pairs = zip(ids.make("run", 5, one), ids.make("run", 5, other), strict=True)
    assert [at for at, (first, second) in enumerate(pairs) if first != second] == [len("run_") + 8 + place]


@pytest.mark.parametrize(
    ("parameter", "prefix"),
    [("assistant_id", "asst"), ("thread_id", "thread"), ("message_id", "msg"), ("run_id", "run"), ("step_id", "step")],
)
def test_an_id_with_another_prefix_is_refused(parameter: str, prefix: str) -> None:
    ids.check(**{parameter: f"{prefix}_1"})
    with pytest.raises(BadRequest) as refused:
        ids.check(**{parameter: "wf_1"})
    assert refused.value.message == f"Invalid '{parameter}': 'wf_1'. Expected an ID that begins with '{prefix}'."
    assert (refused.value.param, refused.value.code) == (parameter, "invalid_value")


@pytest.mark.parametrize("rest", ["\0", "\x1b[2J", " ", "é", "'", "%", "\n", "a/b", "१"])
def test_an_id_with_other_characters_is_refused(rest: str) -> None:
    ids.check(thread_id="thread_Ab-9_x")
    with pytest.raises(BadRequest) as refused:
        ids.check(thread_id=f"thread_{rest}")
    assert refused.value.message == (
        f"Invalid 'thread_id': 'thread_{rest}'. Expected an ID that contains letters, numbers, underscores, or dashes, "
        "but this value contained additional characters."
    )
    assert (refused.value.param, refused.value.code) == ("thread_id", "invalid_value")


def test_the_error_shows_only_the_beginning_of_a_long_id() -> None:
    with pytest.raises(BadRequest) as refused:
        ids.check(run_id="x" * 10_000)
    assert len(refused.value.message) < 200


def test_every_id_is_checked() -> None:
    with pytest.raises(BadRequest, match="'run_id'"):
        ids.check(thread_id="thread_1", run_id="thread_1")
