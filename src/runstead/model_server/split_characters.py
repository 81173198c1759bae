"""Characters that arrive in halves: lone surrogates, and bytes of UTF-8 that were split between two chunks.

A decoded text has such a byte as the surrogate U+DC80 to U+DCFF, by the error handler `surrogateescape`.
"""

import re
from typing import Any

__all__ = ["CharacterJoiner", "repaired", "repaired_json"]

_INCOMPLETE = re.compile(
    "(?:[\ud800-\udbff]|[\udcc2-\udcdf]|[\udce0-\udcef][\udc80-\udcbf]?|[\udcf0-\udcf4][\udc80-\udcbf]{0,2})\\Z"
)
"""The beginning of a character at the end of a text: a high surrogate, or the first bytes of UTF-8."""
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_LONE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_MAX_LENGTH = 2**16
"""Characters of a text whose halves are looked at one by one. In a longer one each becomes a question mark."""
_REPLACEMENT = "\ufffd"


class CharacterJoiner:
    """Completes the characters of a text that arrives in pieces."""

    def __init__(self) -> None:
        self._begun = ""

    @property
    def begun(self) -> bool:
        """Whether the beginning of a character is kept."""
        return bool(self._begun)

    def add(self, text: str) -> str:
        """The whole characters so far. The beginning of a character is kept for the next piece."""
        if not self._begun and text.isascii():
            return text
        text = _joined(self._begun + text[:1]) + text[1:]
        incomplete = _INCOMPLETE.search(text, max(0, len(text) - 3))
        self._begun = incomplete.group() if incomplete else ""
        return repaired(text[: len(text) - len(self._begun)])

    def end(self) -> str:
        """The text ends here: a character without its end is replaced."""
        begun, self._begun = self._begun, ""
        return repaired(begun)


def repaired(text: str) -> str:
    """The text with its halves joined, and what is left of them replaced by U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        if len(text) > _MAX_LENGTH:
            return text.encode("utf-8", "replace").decode()
        text = _LONE.sub(_REPLACEMENT, _joined(text))
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return text


def repaired_json(value: Any) -> Any:
    """Decoded JSON with all of its texts repaired."""
    if isinstance(value, str):
        return repaired(value)
    if isinstance(value, list):
        return [repaired_json(each) for each in value]
    if isinstance(value, dict):
        return {repaired(name): repaired_json(each) for name, each in value.items()}
    # JSON has no NaN and no infinity.
    return None if isinstance(value, float) and value - value != 0 else value


def _joined(text: str) -> str:
    """The text with pairs of surrogates as the characters that they mean."""
    return _PAIR.sub(lambda pair: pair.group().encode("utf-16-le", "surrogatepass").decode("utf-16-le"), text)
