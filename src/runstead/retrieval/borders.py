"""Where a text may be cut: between paragraphs, rows, sentences, words, and at the least between whole characters."""

import re
import unicodedata
from collections.abc import Callable, Iterator

__all__ = ["LINES", "PARAGRAPHS", "ROWS", "SENTENCES", "WORDS", "earliest", "is_border", "latest"]

PARAGRAPHS = re.compile(r"\n[ \t]*+\n\s*+(?=\S)")
LINES = re.compile(r"\n\s*+(?=\S)")
ROWS = re.compile(r"(?<=\|)[ \t]*+\n(?=\S)|\n(?=\|)")
"""Between two rows of a table, or a row and other text."""
SENTENCES = re.compile(
    r"[.!?…][\"'”’»)\]]{0,3}\s++(?=[^\sa-z])"  # an abbreviation is followed by a small letter
    r"|[。！？｡][」』）”’]{0,3}\s*+(?=\S)"
)
WORDS = re.compile(r"\s++(?=\S)")

_LEAD = 8
"""How far before a border its match may begin, at most."""
_JOINER = "\u200d"
_EXTENDING = frozenset({"Mn", "Mc", "Me"})


def latest(pattern: re.Pattern[str], text: str, low: int, high: int, allowed: Callable[[int], bool]) -> int | None:
    """The last border in `low..high`, both included, that is allowed."""
    found = [match.end() for match in _matches(pattern, text, low, high)]
    return next((at for at in reversed(found) if low <= at <= high and is_border(text, at) and allowed(at)), None)


def earliest(pattern: re.Pattern[str], text: str, low: int, high: int) -> int | None:
    """The first border in `low..high`, both included."""
    for match in _matches(pattern, text, low, high):
        if low <= match.end() <= high and is_border(text, match.end()):
            return match.end()
    return None


def _matches(pattern: re.Pattern[str], text: str, low: int, high: int) -> Iterator[re.Match[str]]:
    """The matches that may end in `low..high`. Blanks at the end are left out: in a long run of them, a pattern that
    needs text behind it would fail from each one.
    """
    first = max(low - _LEAD, 0)
    return pattern.finditer(text, first, first + len(text[first : high + 1].rstrip()))


def is_border(text: str, at: int) -> bool:
    """Whether no character as readers see it, such as a letter with its accents or a flag, is cut at `at`."""
    if not 0 < at < len(text):
        return True
    before, after = text[at - 1], text[at]
    if before.isascii() and after.isascii():
        return not (before == "\r" and after == "\n")
    if unicodedata.category(after) in _EXTENDING or _JOINER in {before, after}:
        return False
    return not (_joined(ord(before), ord(after)) or (_is_flag(after) and _flags_before(text, at) % 2))


def _joined(before: int, after: int) -> bool:
    """Characters that belong to the one before: skin tones, tags, Korean vowels and finals, the half of a pair."""
    return (
        0x1F3FB <= after <= 0x1F3FF
        or 0xE0020 <= after <= 0xE007F
        or (0x1160 <= after <= 0x11FF and 0x1100 <= before <= 0x11FF)
        or (0xDC00 <= after <= 0xDFFF and 0xD800 <= before <= 0xDBFF)
    )


def _is_flag(character: str) -> bool:
    """Whether it is one of the letters that flags are written with, in pairs."""
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flags_before(text: str, at: int) -> int:
    start = at
    while start > max(0, at - 64) and _is_flag(text[start - 1]):
        start -= 1
    return at - start
