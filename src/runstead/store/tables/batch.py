"""Batches: how many rows, and about how many bytes, one transaction reads or removes. A single row may be larger."""

from collections.abc import Sequence
from itertools import accumulate

__all__ = ["BATCH_SIZE", "Batch", "first_within"]

BATCH_SIZE = 1024 * 1024
"""Bytes that a transaction of maintenance removes: no other writer waits long for it."""


class Batch:
    """The rows and bytes that one transaction may still remove."""

    def __init__(self, rows: int, size: int) -> None:
        self.rows = rows
        self.size = size

    @property
    def full(self) -> bool:
        """Whether nothing more may be removed."""
        return self.rows <= 0 or self.size <= 0

    def take(self, sizes: Sequence[int]) -> int:
        """How many of the first rows with these sizes may be removed; they are counted."""
        taken = 0
        for size in sizes:
            if self.full:
                break
            self.rows -= 1
            self.size -= size
            taken += 1
        return taken


def first_within(sizes: Sequence[int], size: int) -> int:
    """How many of the first items have no more than this size together; at least one, if there is one."""
    for place, total in enumerate(accumulate(sizes)):
        if total > size:
            return max(place, 1)
    return len(sizes)
