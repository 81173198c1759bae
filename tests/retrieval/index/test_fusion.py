"""The meaning of a score: it grows with the evidence of each side, and stays in 0 … 1."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstead.retrieval.index.fusion import exponents, fused, repetition
from runstead.retrieval.index.port import Query

shares = st.floats(0, 1)
weights = st.sampled_from([(1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (1.0, 0.25), (0.5, 1.0)])


def score(cosine: float, coverage: float, repeated: float = 1.0, given: tuple[float, float] = (1.0, 1.0)) -> float:
    return float(fused(np.array([cosine]), np.array([coverage]), np.array([repeated]), given)[0])


def query(embedding: float, text: float, *, vector: bool = True) -> Query:
    return Query(
        project="p",
        store_ids=[],
        text="",
        vector=np.ones(3, dtype=np.float32) if vector else None,
        limit=1,
        embedding_weight=embedding,
        text_weight=text,
    )


@given(cosine=st.floats(-1, 1), coverage=shares, repeated=shares, more=shares, given=weights)
def test_a_score_grows_with_each_part(
    cosine: float, coverage: float, repeated: float, more: float, given: tuple[float, float]
) -> None:
    here = score(cosine, coverage, repeated, given)
    assert 0 <= here <= 1
    assert score(min(1, cosine + more), coverage, repeated, given) >= here - 1e-12
    assert score(cosine, min(1, coverage + more), repeated, given) >= here - 1e-12
    assert score(cosine, coverage, min(1, repeated + more), given) >= here - 1e-12


def test_the_documented_scores() -> None:
    assert score(0.37, 0) == pytest.approx(0.5, abs=0.01)
    assert score(0, 0.667, 0.5) == pytest.approx(0.5, abs=0.01)
    assert score(0, 1) == pytest.approx(0.9)
    assert score(1, 0) == 1
    assert score(-0.5, 0) == 0
    assert score(0.5, 0.5) > max(score(0.5, 0), score(0, 0.5))
    assert score(0.4, 1, given=(1, 0)) == score(0.4, 0)
    assert score(0.4, 0.7, given=(0, 1)) == score(0, 0.7)


def test_weights_count_relative_to_each_other() -> None:
    assert exponents(query(3, 3)) == exponents(query(1, 1)) == (1, 1)
    assert exponents(query(1, 0.5)) == (1, 0.5)
    assert exponents(query(0, 2)) == (0, 1)
    assert exponents(query(1, 0.5, vector=False)) == (0, 1)
    assert exponents(query(1, 0, vector=False)) == (0, 0)
    for embedding, text in [(0.0, 0.0), (-1.0, 1.0), (1.0, -1.0)]:
        with pytest.raises(ValueError, match="weights"):
            exponents(query(embedding, text))


def test_repetition_counts_folded_text_against_its_length() -> None:
    assert repetition("Über ÜBER über", ["uber"]) > repetition("über", ["uber"]) > repetition("unter", ["uber"]) == 0
    assert repetition("tax tax", ["tax"]) > repetition("tax tax" + " and so on" * 1000, ["tax"])
    assert repetition("anything", []) == 0
