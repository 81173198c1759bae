"""From the candidates of both sides to hits.

The candidates are ordered without their text, as if each repeated the query's terms as often as
possible. The texts of the first ones are read, and their final scores decide the order.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from runstead.retrieval.index.fusion import Floats, fused, repetition
from runstead.retrieval.index.lexical import Ids
from runstead.retrieval.index.port import Hit, IndexedChunk, Query

__all__ = ["Candidates", "Found", "ranked", "shortlist"]

_TIMES = 2
_FEWEST = 20


class Candidates(NamedTuple):
    """Chunks with the evidence for each."""

    ids: Ids
    cosines: Floats
    coverage: Floats


class Found(NamedTuple):
    """A chunk that was read."""

    id: int
    store_id: str
    file_id: str
    chunk: IndexedChunk


def shortlist(candidates: Candidates, weights: tuple[float, float], query: Query) -> Candidates:
    """The candidates whose texts are worth reading, best first."""
    highest = fused(candidates.cosines, candidates.coverage, np.ones(len(candidates.ids)), weights)
    order = np.argsort(-highest, kind="stable")[: max(_FEWEST, _TIMES * query.limit)]
    order = order[(highest[order] >= query.threshold) & (highest[order] > 0)]
    return Candidates(candidates.ids[order], candidates.cosines[order], candidates.coverage[order])


def ranked(
    shortlisted: Candidates, found: Iterable[Found], weights: tuple[float, float], terms: Sequence[str], query: Query
) -> list[Hit]:
    """The hits, best first. A candidate that was not found was removed meanwhile."""
    places = {int(each): place for place, each in enumerate(shortlisted.ids)}
    read = [each for each in found if each.id in places]
    kept = [places[each.id] for each in read]
    repetitions = np.array([repetition(f"{each.chunk.heading}\n{each.chunk.text}", terms) for each in read])
    scores = fused(shortlisted.cosines[kept], shortlisted.coverage[kept], repetitions, weights)
    order = np.argsort(-scores, kind="stable")[: query.limit]
    return [
        Hit(store_id=read[place].store_id, file_id=read[place].file_id, chunk=read[place].chunk, score=score)
        for place in order
        if (score := float(scores[place])) >= query.threshold
    ]
