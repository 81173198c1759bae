"""The terms of texts and queries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstead.retrieval.index.terms import MAX_QUERY_TERMS, document_terms, fold, query_terms


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Refund policies and boxes", "refund policy and box"),
        ("ERR-1042", "err-1042 err1042 err 1042"),
        ("v2.3.1", "v2.3.1 v2 3 1"),
        ("snake_case", "snake_case snakecase snake case"),
        ("__init__", "init"),
        ("getUserName", "getusername get user name"),
        ("C++ C#", "c++ c# c"),
        ("10,000 and 10.000", "10,000 10.000 10000 10 000 and"),
        ("1.234", "1.234 1234 1 234"),
        ("3.14", "3.14 3 14"),
        ("Straße Größe", "strasse grosse"),
        ("naïve façade", "naive facade"),
        ("ＡＢＣ", "abc"),
        ("東京都", "東 京 都 東京 京都"),
        ("iPhoneの値段", "iphone i phone の 値 段 の値 値段"),
        ("हिन्दी", "हिन्दी"),
        ("مَرحَبا", "مرحبا"),
        ("status class bus", "status class bus"),
        ("\0 ' \" * ( )", ""),
    ],
)
def test_the_terms_of_a_text(text: str, terms: str) -> None:
    assert document_terms(text) == set(terms.split())


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("What is the maximum refund for a hotel?", "maximum refund hotel"),
        ("When do plants die", "plant die"),
        ("Wie hoch ist die Gebühr?", "hoch gebuhr"),
        ("Quel est le délai de préavis", "delai preavis"),
        ("¿Cuál es el precio de la habitación?", "precio habitacion"),
        ("the who", "the who"),
        ("天気", "天気"),
        ("水", "水"),
    ],
)
def test_stop_words_of_the_querys_language_are_dropped(query: str, terms: str) -> None:
    assert query_terms(query) == terms.split()


@given(st.text(max_size=60))
def test_terms_of_a_query_are_terms_of_its_text(text: str) -> None:
    assert set(query_terms(text)) <= document_terms(text)
    for term in document_terms(text):
        assert term
        assert len(term) <= 64
        assert not any(character.isspace() or character == '"' for character in term)


@given(st.text(max_size=60))
def test_folding_is_done_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_a_query_has_a_bounded_number_of_terms() -> None:
    assert len(query_terms(" ".join(f"word{number}" for number in range(1000)))) == MAX_QUERY_TERMS
    assert query_terms("x" * 100_000) == ["x" * 64]
