"""Builds the text of a document and its places, within their limits."""

import re

from runstead.retrieval.documents.port import MAX_CHARACTERS, MAX_LABEL, MAX_PLACES, Place, PlaceKind
from runstead.retrieval.documents.refusal import Reason, Refused

__all__ = ["TextBuilder", "clean", "one_line"]

_NEWLINE = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\ud800-\udfff\ufeff\ufffe\uffff]")
"""Control characters, soft hyphens, surrogates, byte order marks and noncharacters: in no text that is searched."""
_UNCLEAN = re.compile(f"{_UNWANTED.pattern}|[\r\x0b\x0c\x85\u2028\u2029]")
_ASCII = {**dict.fromkeys([*range(32), 127]), **{ord(end): "\n" for end in "\n\r\v\f"}, ord("\t"): "\t"}
"""Replacements of ASCII's control characters."""


def clean(text: str) -> str:
    r"""The text with `\n` for every kind of line end, and without characters that no text needs."""
    if text.isascii():  # twenty times as fast as a pattern
        return text.replace("\r\n", "\n").translate(_ASCII)
    if not _UNCLEAN.search(text):
        return text
    return _UNWANTED.sub("", _NEWLINE.sub("\n", text))


def one_line(text: str, limit: int = MAX_LABEL) -> str:
    """The text on one line, at most `limit` characters long."""
    line = " ".join(clean(text[: 4 * limit]).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


class TextBuilder:
    """The text that a format's reader has written so far. `Refused` when it becomes too long."""

    def __init__(self, limit: int = MAX_CHARACTERS) -> None:
        self._limit = limit
        self._parts: list[str] = []
        self._tail = "\n\n"
        self.length = 0
        self.places: list[Place] = []

    def write(self, text: str) -> None:
        """Add text as it is, but for characters that no text needs."""
        text = clean(text)
        if not text:
            return
        self.length += len(text)
        if self.length > self._limit:
            raise Refused(Reason.TOO_LONG)
        self._parts.append(text)
        self._tail = (self._tail + text[-2:])[-2:]

    def end_line(self) -> None:
        """End the line, if one has begun."""
        if self._tail[-1] != "\n":
            self.write("\n")

    def end_paragraph(self) -> None:
        """End the paragraph, if one has begun."""
        self.end_line()
        if self._tail != "\n\n":
            self.write("\n")

    def paragraph(self, text: str) -> None:
        """Add a paragraph, unless it is blank."""
        if text := text.strip():
            self.end_paragraph()
            self.write(text)
            self.end_paragraph()

    def heading(self, text: str, level: int) -> None:
        """Add a heading as a paragraph of one line, unless it is blank."""
        if line := " ".join(text.split()):
            self.end_paragraph()
            self.place("heading", line, min(max(level, 1), 6))
            self.write(line)
            self.end_paragraph()

    def item(self, text: str) -> None:
        """Add an item of a list as a line, unless it is blank."""
        if line := " ".join(text.split()):
            self.end_line()
            self.write(f"- {line}\n")

    def row(self, cells: list[str]) -> None:
        """Add a row of a table as a line, unless all its cells are blank."""
        line = [" ".join(cell.split()).replace("|", "\\|") for cell in cells]
        if any(line):
            self.end_line()
            self.write(f"| {' | '.join(line)} |\n")

    def place(self, kind: PlaceKind, label: str, level: int = 0) -> None:
        """Mark that a part begins here. Its label is cut to one short line."""
        if len(self.places) < MAX_PLACES:
            self.places.append(Place(start=self.length, kind=kind, label=one_line(label), level=level))

    def text(self) -> str:
        """The whole text, without blank space at its end."""
        return "".join(self._parts).rstrip()
