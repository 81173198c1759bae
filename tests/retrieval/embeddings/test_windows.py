"""Texts that are longer than a window are embedded in windows: no character is lost, and each counts the same."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstead.domain.chat.tokens import of_text
from runstead.retrieval.embeddings.windows import Windows, normalized, split


@given(st.text(max_size=400), st.integers(4, 50), st.sampled_from([len, of_text]))
def test_windows_are_the_text_and_none_is_too_large(text: str, limit: int, measure: Callable[[str], int]) -> None:
    windows = split(text, limit, measure)
    assert "".join(windows) == text
    assert all(measure(window) <= limit for window in windows)
    assert text == "" or all(windows)


def test_windows_end_between_words() -> None:
    assert split("one two three four", 9) == ["one two ", "three ", "four"]


def test_a_word_without_end_is_cut() -> None:
    assert split("a" * 25, 10) == ["a" * 10, "a" * 10, "a" * 5]


def test_a_part_that_is_denser_is_cut_again() -> None:
    text = "plain words " * 50 + "港" * 50
    assert len(split(text, 40, of_text)) > len(split(text, 40 * 3))
    assert max(of_text(window) for window in split(text, 40, of_text)) <= 40


@pytest.mark.parametrize(
    ("count", "size", "expected"),
    [(2, 100, [2, 2, 1]), (9, 8, [2, 2, 1]), (9, 1, [1, 1, 1, 1, 1])],
)
def test_batches_are_bounded_by_count_and_by_size(count: int, size: int, expected: list[int]) -> None:
    batches = list(Windows(["1234"] * 5, 4).batches(count=count, size=size))
    assert [len(batch) for batch in batches] == expected


def test_the_vector_of_a_text_is_the_mean_of_its_windows_by_their_length() -> None:
    windows = Windows(["aaaaaaaaa bbb", "cc"], 10)
    assert windows.texts == ["aaaaaaaaa ", "bbb", "cc"]
    vectors = np.array([[1, 0, 0], [0, 5, 0], [0, 0, 2]], dtype=np.float32)
    expected = np.array([[10, 3, 0], [0, 0, 1]], dtype=np.float32)
    expected[0] /= np.linalg.norm(expected[0])
    assert np.allclose(windows.joined(vectors), expected)


def test_a_vector_of_no_direction_has_length_1_too() -> None:
    assert normalized(np.zeros((1, 3), dtype=np.float32)).tolist() == [[1, 0, 0]]


def test_large_numbers_do_not_overflow() -> None:
    large = np.full((1, 4), 3e38, dtype=np.float32)
    assert np.allclose(normalized(large), 0.5)
