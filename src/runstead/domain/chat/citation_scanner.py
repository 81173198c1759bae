"""Finds the markers of citations in an answer while it is streamed.

A marker that names a passage which the model was given is a citation. Everything else stays the text that the model
wrote: its brackets may be anything, and to remove them would change a sentence on a guess.

Some models write markers a little differently. `【4:0】` and `[4:0†f.txt]` can mean nothing else, so they are rewritten
as the marker `【4:0†f.txt】`. `[4:0]` may be a verse or a score, and stays text.
"""

import re
from collections.abc import Mapping
from typing import TypeAlias

from msgspec import Struct

from runstead.domain.chat.citations import Passage, Source
from runstead.domain.model_call import CitationPiece, TextPiece

__all__ = ["CitationScanner"]

_OPENING = re.compile(r"[【\[]")
_NUMBERS = re.compile(r"[【\[]([0-9]{0,4})(:?)([0-9]{0,4})")
_GENERIC = "source"
"""The name that a marker of any file may have."""


Found: TypeAlias = TextPiece | CitationPiece


class _Undecided(Struct, frozen=True):
    """The text so far may become a marker."""


_UNDECIDED = _Undecided()


class CitationScanner:
    """Splits one streamed text into plain text and citations.

    Text is held back only while it may become a marker, so at most as long as the longest marker. The result does not
    depend on how the text is cut into pieces.
    """

    def __init__(self, sources: Mapping[Passage, Source]) -> None:
        self._sources = sources
        self._held = ""

    def add(self, text: str) -> list[Found]:
        """Add a piece of text. Returns the text and citations that are complete, in order."""
        return self._scan(self._held + text, last=False)

    def end(self) -> list[Found]:
        """The rest: no text follows."""
        return self._scan(self._held, last=True)

    def _scan(self, text: str, *, last: bool) -> list[Found]:
        found: list[Found] = []
        written = at = 0
        self._held = ""
        while opening := _OPENING.search(text, at):
            at = opening.start()
            match self._marker(text, at):
                case _Undecided() if not last:
                    self._held = text[at:]
                    text = text[:at]
                case int() as length, CitationPiece() as cited:
                    if at > written:
                        found.append(TextPiece(text[written:at]))
                    found.append(cited)
                    written = at = at + length
                case _:
                    at += 1
        if len(text) > written:
            found.append(TextPiece(text[written:]))
        return found

    def _marker(self, text: str, at: int) -> tuple[int, CitationPiece] | _Undecided | None:
        """The marker at a bracket with its length in the text; None if there is none."""
        head = _NUMBERS.match(text, at)
        assert head is not None
        search, colon, passage = head.groups()
        if head.end() == len(text):
            return _UNDECIDED if search or not colon else None
        if not search or not passage:
            return None
        key = int(search), int(passage)
        source = self._sources.get(key)
        if source is None:
            return None
        return self._closed(text, at, head.end(), key, source)

    def _closed(
        self, text: str, at: int, end: int, key: Passage, source: Source
    ) -> tuple[int, CitationPiece] | _Undecided | None:
        whole = f"【{key[0]}:{key[1]}†{source.name}】"
        if text[at] == "【":
            generic = f"【{key[0]}:{key[1]}†{_GENERIC}】"
            spellings = {f"†{source.name}】": whole, f"†{_GENERIC}】": generic, "】": whole}
        else:
            spellings = {f"†{source.name}]": whole}
        rest = text[end : end + max(map(len, spellings))]
        for spelling, marker in spellings.items():
            if rest.startswith(spelling):
                return end - at + len(spelling), CitationPiece(marker, source.file_id)
        return _UNDECIDED if any(spelling.startswith(rest) for spelling in spellings) else None
