"""What becomes of an entry, in both databases."""

from enum import IntEnum

__all__ = ["State"]


class State(IntEnum):
    """The state of an entry's row."""

    STAGED = 0
    """Not published."""
    VISIBLE = 1
    REMOVED = 2
    """It was visible. All its rows are being deleted."""
    DISCARDED = 3
    """It was staged. Its chunks are being deleted, and it stays as `GONE`."""
    GONE = 4
    """It was discarded. A late attempt to add to it or to publish it is refused."""
