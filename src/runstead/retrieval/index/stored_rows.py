"""The rows of entries and their text, as both databases store them."""

import re
from enum import IntEnum

__all__ = ["State", "storable", "storable_or_none"]

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""PostgreSQL refuses NUL, and UTF-8 has no lone surrogates."""
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


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


def storable(text: str) -> str:
    """The text with a replacement for each character that cannot be stored. Its length in characters is the same."""
    return _UNSTORABLE.sub(_REPLACEMENT, text)


def storable_or_none(text: str | None) -> str | None:
    """The same, where there may be no text."""
    return None if text is None else storable(text)
