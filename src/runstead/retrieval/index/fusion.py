"""The score of a passage: one number in 0 … 1 from both sides of a search.

    dense    = cosine^0.7, of the angle between query and passage; 0 for a negative cosine
    lexical  = 0.9 × coverage^1.25 × (0.85 + 0.15 × repetition)
    score    = 1 − (1 − dense)^a × (1 − lexical)^b

`coverage` is the share of the query's terms that the passage has, each weighted by its rarity (`lexical`). `repetition`
grows from 0 to 1 with the number of times that the passage has them. `a` and `b` are the two weights divided by the
larger one: with equal weights both are 1. A weight of 0 switches a side off, and so does a query without a vector.

So a passage has a score of 0.5 if its cosine is 0.37, or if it has two thirds of the query's words. Evidence of one
side is enough, and evidence of both adds up. A lexical score stays below 0.9, so among passages with all words of the
query the cosine decides.

The exponents were chosen with two embedding models on the questions in `benchmarks/corpus`. There this sum finds the
right passage first more often than reciprocal rank fusion, which uses the order of each side without its scores:
a mean reciprocal rank of 0.77 and 0.76 instead of 0.72 and 0.73.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from runstead.retrieval.index.port import Query
from runstead.retrieval.index.terms import fold

__all__ = ["Floats", "candidate_count", "exponents", "fused", "repetition"]

Floats: TypeAlias = NDArray[np.float64]

_CEILING = 0.9
_DENSE_EXPONENT = 0.7
_COVERAGE_EXPONENT = 1.25
_REPETITION = 0.15
_FEWEST = 50
_TIMES = 4


def candidate_count(limit: int) -> int:
    """How many candidates each side contributes for `limit` hits."""
    return max(_FEWEST, _TIMES * limit)


def exponents(query: Query) -> tuple[float, float]:
    """The exponents of the dense and of the lexical side. `ValueError` if neither side is on."""
    dense = query.embedding_weight if query.vector is not None else 0.0
    lexical = query.text_weight
    if query.vector is None and not lexical:
        return 0.0, 0.0  # the only side that was asked for is not there: nothing is found
    larger = max(dense, lexical)
    if min(dense, lexical) < 0 or not larger > 0:
        raise ValueError("the weights of a search are at least 0, and not both 0")
    return dense / larger, lexical / larger


def fused(cosines: Floats, coverage: Floats, repetitions: Floats, weights: tuple[float, float]) -> Floats:
    """The scores of passages, given each one's cosine, coverage and repetition and the exponents of both sides."""
    dense = np.clip(cosines, 0.0, 1.0) ** _DENSE_EXPONENT
    lexical = (
        _CEILING * np.clip(coverage, 0.0, 1.0) ** _COVERAGE_EXPONENT * (1 - _REPETITION + _REPETITION * repetitions)
    )
    return np.asarray(np.clip(1 - (1 - dense) ** weights[0] * (1 - lexical) ** weights[1], 0.0, 1.0))


def repetition(text: str, terms: Sequence[str]) -> float:
    """How often a passage repeats the terms of a query: 0 for never, and towards 1 for often in a short text."""
    if not terms:
        return 0.0
    folded = fold(text)
    usual = 1 + len(folded) / 4000
    counts = [folded.count(term) for term in terms]
    return sum(count / (count + usual) for count in counts) / len(terms)
