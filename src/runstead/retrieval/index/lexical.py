"""The lexical side of a search: which chunks have how much of a query.

A query's terms are weighted by their inverse document frequency in the searched stores. The coverage of a chunk is the
weight of the terms that it has, as a share of the weight of all terms: 1 if it has all of them. A term that no chunk
has counts too, as the rarest one, so a chunk cannot cover a query whose code or name it does not have.

A term in very many chunks says little and costs much. Its list is cut, and it is ignored beside rarer terms. If all
terms are that common, the chunks that have all of them are one more list.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["ENTRY_BITS", "Ids", "Lexical", "all_cut", "among", "chunk_id", "entries_of", "max_list", "weigh"]

Ids: TypeAlias = NDArray[np.int64]
"""Sorted ids of chunks, or numbers of entries."""
Floats: TypeAlias = NDArray[np.float64]

ENTRY_BITS = 20
_SHARE = 10
_SHORTEST, _LONGEST = 2_000, 20_000
_MAX_CANDIDATES = 50_000


def chunk_id(entry: int, number: int) -> int:
    """The id of a chunk, which has the number of its entry in it."""
    return entry << ENTRY_BITS | number


def entries_of(ids: Ids) -> Ids:
    """The entry of each chunk."""
    return ids >> ENTRY_BITS


def among(values: Ids, known: Ids) -> NDArray[np.bool_]:
    """For each value, whether it is among the `known` ones, which are sorted."""
    if not len(known):
        return np.zeros(len(values), dtype=bool)
    places = np.searchsorted(known, values)
    places[places == len(known)] = 0
    return np.asarray(known[places] == values)


def max_list(chunks: int) -> int:
    """How many chunks of one term are read: those of a term that a tenth of all `chunks` has."""
    return min(max(_SHORTEST, chunks // _SHARE), _LONGEST)


class Lexical(NamedTuple):
    """The chunks of each term of a query, and the weight of each term; the weights add up to 1."""

    lists: Sequence[Ids]
    weights: Sequence[float]

    def coverage(self, ids: Ids) -> Floats:
        """The coverage of each of these chunks, in 0 … 1."""
        covered = np.zeros(len(ids))
        for listed, weight in zip(self.lists, self.weights, strict=True):
            covered += weight * among(ids, listed)
        return covered

    def best(self, allowed: Ids, count: int) -> Ids:
        """The chunks with the highest coverage among those of the allowed entries. Of equals, the older ones.

        The lists are joined from the rarest term on, until the terms that are left cannot lift another chunk among the
        best ones.
        """
        rare_first = sorted(zip(self.lists, self.weights, strict=True), key=lambda pair: len(pair[0]))
        left = sum(self.weights)
        candidates, covered = np.zeros(0, dtype=np.int64), np.zeros(0)
        for listed, weight in rare_first:
            enough = len(candidates) >= count and np.partition(covered, -count)[-count] >= left
            if enough or len(candidates) >= _MAX_CANDIDATES:
                break
            left -= weight
            visible = listed[among(entries_of(listed), allowed)]
            if len(visible):
                candidates = _union(candidates, visible)
                covered = self.coverage(candidates)
        best = np.argsort(-covered, kind="stable")[:count]
        return np.sort(candidates[best])


def weigh(lists: Mapping[str, Ids], chunks: int) -> Lexical:
    """The terms with their weights, given the chunks of each and the number of chunks in all searched stores.

    A list longer than `max_list` is one that was cut. It is left out, unless all are cut.
    """
    whole = [listed for listed in lists.values() if len(listed) <= max_list(chunks)]
    used = whole if any(len(listed) for listed in whole) else list(lists.values())
    counts = np.array([len(listed) for listed in used], dtype=np.float64)
    weights = np.log1p((max(chunks, 1) + 0.5 - np.minimum(counts, chunks)) / (counts + 0.5))
    total = float(weights.sum())
    return Lexical(used, [float(weight) / total for weight in weights] if total else [0.0] * len(used))


def all_cut(lists: Mapping[str, Ids], chunks: int) -> bool:
    """Whether no term is rare enough to find chunks by itself. Then those that have all terms are to be found."""
    longest = max_list(chunks)
    return len(lists) > 1 and not any(0 < len(listed) <= longest for listed in lists.values())


def _union(one: Ids, other: Ids) -> Ids:
    together = np.concatenate([one, other])
    together.sort(kind="stable")  # which merges two sorted runs
    different = np.ones(len(together), dtype=bool)
    different[1:] = together[1:] != together[:-1]
    return np.asarray(together[different])
