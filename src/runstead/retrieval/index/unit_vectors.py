"""Vectors as the index keeps them: rows of length 1 in half precision, whose dot product is the cosine."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from runstead.retrieval.index.port import MAX_CHUNKS, IndexedChunk, Vectors

__all__ = ["UnitVectors", "check_chunks", "unit_vectors"]

UnitVectors: TypeAlias = NDArray[np.float16]

MAX_DIMENSION = 4000
"""The largest dimension that PostgreSQL's index of half-precision vectors takes."""


def unit_vectors(vectors: Vectors) -> UnitVectors:
    """The rows, each divided by its length. A row without direction becomes zeros, which are similar to nothing."""
    rows = np.nan_to_num(np.atleast_2d(np.asarray(vectors, dtype=np.float32)), posinf=0.0, neginf=0.0)
    largest = np.abs(rows).max(axis=1, keepdims=True, initial=0.0)
    scaled = rows / np.where(largest > 0, largest, 1.0)
    lengths = np.linalg.norm(scaled, axis=1, keepdims=True)
    return np.ascontiguousarray(scaled / np.where(lengths > 0, lengths, 1.0), dtype=np.float16)


def check_chunks(chunks: Sequence[IndexedChunk], vectors: "Vectors | None") -> None:
    """`ValueError` unless each chunk has a number of its own, and there is one vector for each chunk or none at all."""
    numbers = {chunk.number for chunk in chunks}
    if len(numbers) < len(chunks) or not all(0 <= number < MAX_CHUNKS for number in numbers):
        raise ValueError(f"the numbers of chunks are different ones from 0 to {MAX_CHUNKS - 1}")
    if vectors is None:
        return
    if vectors.ndim != 2 or len(vectors) != len(chunks) or not 0 < vectors.shape[1] <= MAX_DIMENSION:
        raise ValueError(
            f"{len(chunks)} chunks need as many vectors of up to {MAX_DIMENSION} dimensions, not {vectors.shape}"
        )
