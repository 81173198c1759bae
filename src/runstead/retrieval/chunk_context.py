"""The context of a place in a document: the headings above it, its page, sheet or slide, and its table's columns."""

from bisect import bisect_left, bisect_right

from runstead.retrieval.documents.media_types import MediaType
from runstead.retrieval.documents.port import Document, Place

__all__ = ["MAX_HEADING", "ChunkContext"]

MAX_HEADING = 300
_MAX_PART = 120
_SEPARATOR = " > "
_TABLES = frozenset({MediaType.CSV, MediaType.TSV})


class ChunkContext:
    """Answers for offsets that only grow, so that a whole document takes linear time."""

    def __init__(self, document: Document) -> None:
        self._text = document.text
        self._places = document.places
        self._parts = [place.start for place in document.places if place.kind != "page"]
        self._headings = [place.start for place in document.places if place.kind == "heading"]
        self._sheets = [place.start for place in document.places if place.kind == "sheet"]
        self._levels: list[Place] = []
        self._place: Place | None = None
        self._next = 0
        self._table = 0
        self._is_table = document.media_type in _TABLES
        self._asked = 0

    def at(self, start: int) -> tuple[str, str | None]:
        """The headings and columns above an offset, and its page, sheet or slide."""
        while self._next < len(self._places) and self._places[self._next].start <= start:
            self._pass(self._places[self._next])
            self._next += 1
        parts = [place.label for place in self._levels]
        if self._place and self._place.kind == "sheet":
            parts.insert(0, self._place.label)
        if columns := self._columns(start):
            parts.append(columns)
        return _joined(parts), f"{self._place.kind} {self._place.label}" if self._place else None

    def next_sheet(self, start: int) -> int:
        """Where the next sheet begins after an offset; the length of the text if there is none."""
        index = bisect_right(self._sheets, start)
        return self._sheets[index] if index < len(self._sheets) else len(self._text)

    def last_part(self, low: int, high: int) -> int | None:
        """The last offset in `low..high` where a section, slide or sheet begins, or None.

        Several that begin with nothing but headings between them are one, which begins with the first.
        """
        index = bisect_right(self._parts, high) - 1
        while index >= 0 and self._parts[index] >= low:
            if index == 0 or not self._is_run(self._parts[index - 1], self._parts[index]):
                return self._parts[index]
            index -= 1
        return None

    def begins_part(self, low: int, high: int) -> bool:
        """Whether a section, slide or sheet begins in `low..high`."""
        return bisect_left(self._parts, low) < bisect_right(self._parts, high)

    def last_heading(self, low: int, high: int) -> int | None:
        """The last offset in `low..high` where a heading begins, or None."""
        index = bisect_right(self._headings, high) - 1
        return self._headings[index] if index >= 0 and self._headings[index] >= low else None

    def _is_run(self, first: int, second: int) -> bool:
        """Whether nothing but one line is between the beginnings of two parts."""
        return second - first < 4 * _MAX_PART and len(self._text[first:second].split("\n", 1)[-1].strip("=- \t\n")) == 0

    def _pass(self, place: Place) -> None:
        if place.kind == "heading":
            while self._levels and self._levels[-1].level >= place.level:
                self._levels.pop()
            self._levels.append(place)
        else:
            self._place = place
            if place.kind != "page":
                self._levels.clear()

    def _columns(self, start: int) -> str:
        """The first row of the table that an offset is in, unless the row begins there."""
        paragraph = self._text.rfind("\n\n", self._asked, start)
        self._asked = max(start - 1, 0)
        if paragraph >= 0:
            self._table = paragraph + 2
        in_table = self._is_table or (self._text[self._table : self._table + 1] == "|" == self._text[start : start + 1])
        if not in_table or start <= self._table:
            return ""
        first = 0 if self._is_table else self._table
        return " ".join(self._text[first : first + 2 * _MAX_PART].partition("\n")[0].strip("| ").split())


def _joined(parts: list[str]) -> str:
    """The labels as a path, each one cut, without the outermost ones if they do not fit."""
    cut = [part if len(part) <= _MAX_PART else f"{part[: _MAX_PART - 1]}…" for part in parts]
    while len(path := _SEPARATOR.join(cut)) > MAX_HEADING:
        cut = cut[1:]
    return path
