"""Texts that are longer than a model's window, as several windows with one vector.

texts ──▶ Windows ──▶ windows in batches ──▶ model ──▶ their vectors ──▶ joined: one vector for each text
"""

import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from runstead.retrieval.embeddings.port import Vectors

__all__ = ["Windows", "normalized", "split"]

_LAST_SPACE = re.compile(r"\s(?=\S*\Z)")


class Windows:
    """The windows of some texts, and the way back to one vector for each text.

    `measure` is the size of a text, in characters or tokens. No window is larger than `limit`.
    """

    def __init__(self, texts: Sequence[str], limit: int, measure: Callable[[str], int] = len) -> None:
        self.texts: list[str] = []
        """All windows, in the order of their texts. Each text has at least one."""
        starts: list[int] = []
        for text in texts:
            starts.append(len(self.texts))
            self.texts.extend(split(text, limit, measure))
        self._starts = np.array(starts, dtype=np.intp)
        self._sizes = [measure(window) for window in self.texts]

    def batches(self, *, count: int, size: int) -> Iterator[list[str]]:
        """The windows in batches of at most `count`, and of `size` together unless one window alone is larger."""
        batch: list[str] = []
        total = 0
        for window, each in zip(self.texts, self._sizes, strict=True):
            if batch and (len(batch) == count or total + each > size):
                yield batch
                batch, total = [], 0
            batch.append(window)
            total += each
        if batch:
            yield batch

    def joined(self, vectors: Vectors) -> Vectors:
        """The vectors of the texts from those of all windows: means weighted by size, of length 1."""
        if len(self._starts) == len(self.texts):
            return normalized(vectors)
        weights = np.array([max(size, 1) for size in self._sizes], dtype=np.float32)
        return normalized(np.add.reduceat(normalized(vectors) * weights[:, None], self._starts, axis=0))


def split(text: str, limit: int, measure: Callable[[str], int] = len) -> list[str]:
    """The text in windows no larger than `limit`, which end between words where words are not too long.

    A window has at least one character.
    """
    size = measure(text)
    if size <= limit or len(text) <= 1:
        return [text]
    # Some parts of a text may be denser than others, so each is measured again.
    parts = _cut(text, max(1, len(text) * limit // size))
    return [window for part in parts for window in split(part, limit, measure)]


def normalized(vectors: Vectors) -> Vectors:
    """The vectors with length 1. One of length 0 becomes the first unit vector, because it has no direction."""
    # Scaled by its largest number, a vector has squares that are finite and a length that is not 0.
    largest = np.maximum(vectors.max(axis=1, keepdims=True), -vectors.min(axis=1, keepdims=True))
    result: Vectors = np.divide(vectors, largest, out=np.zeros_like(vectors), where=largest > 0)
    result[largest[:, 0] == 0, 0] = 1
    result /= np.linalg.norm(result, axis=1, keepdims=True)
    return result


def _cut(text: str, length: int) -> Iterator[str]:
    """The text in parts of at most `length` characters. A part ends at the last space of its second half, if any."""
    start = 0
    while len(text) - start > length:
        part = text[start : start + length]
        space = _LAST_SPACE.search(part, length // 2)
        stop = start + (space.end() if space else length)
        yield text[start:stop]
        start = stop
    yield text[start:]
