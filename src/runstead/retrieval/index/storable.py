"""Text that every database stores as it is."""

import re

__all__ = ["storable", "storable_or_none"]

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""PostgreSQL refuses NUL, and UTF-8 has no lone surrogates."""
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def storable(text: str) -> str:
    """The text with a replacement for each character that cannot be stored. Its length in characters is the same."""
    return _UNSTORABLE.sub(_REPLACEMENT, text)


def storable_or_none(text: str | None) -> str | None:
    """The same, where there may be no text."""
    return None if text is None else storable(text)
