"""Random bytes for ids, from the operating system.

A run needs ten ids. Each system call for random bytes releases the interpreter's lock, so several blocks are fetched at
once.
"""

import os

__all__ = ["BLOCK", "RandomBlocks"]

BLOCK = 16
"""Bytes of a block."""
_FETCHED = 256
"""Blocks that are fetched at once."""


class RandomBlocks:
    """Blocks of random bytes, each given once. Threads may share it."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []

    def next(self) -> bytes:
        """A block that was not given before."""
        try:
            return self._blocks.pop()
        except IndexError:
            fetched = os.urandom(BLOCK * _FETCHED)
            self._blocks += [fetched[start : start + BLOCK] for start in range(BLOCK, len(fetched), BLOCK)]
            return fetched[:BLOCK]
