"""Cuts documents into chunks: the passages that are indexed, found and cited.

A chunk ends where the text allows it best: before a heading or a slide, else between paragraphs, rows of a table,
sentences, words, and only then between characters. The last half of a chunk is searched for such a place, so chunks
are at least half as long as they may be, unless their document, sheet or a long word ends.
"""

import re
from collections.abc import Iterator

from msgspec import Struct

from runstead.retrieval.borders import LINES, PARAGRAPHS, ROWS, SENTENCES, WORDS, earliest, is_border, latest
from runstead.retrieval.chunk_context import ChunkContext
from runstead.retrieval.documents.media_types import LINE_TYPES
from runstead.retrieval.documents.port import Document
from runstead.retrieval.token_weight import WEIGHT_OF_A_TOKEN, end_within, start_within, weight

__all__ = ["DEFAULT_MAX_TOKENS", "DEFAULT_OVERLAP_TOKENS", "MIN_TOKENS", "Chunk", "chunks"]

DEFAULT_MAX_TOKENS = 800
DEFAULT_OVERLAP_TOKENS = 400
MIN_TOKENS = 16
_CONTENT = re.compile(r"\S")
_HEADING = re.compile(r"[^\n]{0,1000}\n?(?: {0,3}(?:=+|-+)[ \t]*(?:\n|\Z))?")
"""The line of a heading, and the line that underlines it in Markdown."""


class Chunk(Struct, frozen=True):
    """A passage of a document: `document.text[start:end]`. It begins and ends with no blank space."""

    start: int
    end: int
    heading: str
    """The headings above its beginning, as `Title > Section`; in a table also the table's first row. At most 300
    characters, and empty if there is none.
    """
    place: str | None
    """Where it begins: `page 3`, `slide 4`, `sheet Prices`."""


def chunks(
    document: Document, *, max_tokens: int = DEFAULT_MAX_TOKENS, overlap_tokens: int = DEFAULT_OVERLAP_TOKENS
) -> Iterator[Chunk]:
    """The chunks of a document in their order, which together contain all of its text but blank space.

    A chunk has at most `max_tokens` tokens as `domain.chat.tokens` estimates them, and begins with at most
    `overlap_tokens` and half of the chunk before. Nothing is repeated over the beginning of a heading, a slide or a
    sheet, and a sheet begins a chunk. No character that readers see as one is cut, unless it takes half of a chunk.
    Each chunk takes about as long as any other one, well below a millisecond.
    Raises `ValueError` for less than `MIN_TOKENS` or an overlap that is negative or more than half.
    """
    if max_tokens < MIN_TOKENS or not 0 <= 2 * overlap_tokens <= max_tokens:
        raise ValueError(f"chunks of {max_tokens} tokens with an overlap of {overlap_tokens}")
    return _Chunker(document, max_tokens * WEIGHT_OF_A_TOKEN, overlap_tokens * WEIGHT_OF_A_TOKEN).chunks()


class _Chunker:
    def __init__(self, document: Document, limit: int, overlap: int) -> None:
        self._text = document.text.rstrip()
        self._limit = limit
        self._overlap = overlap
        self._by_lines = document.media_type in LINE_TYPES
        self._context = ChunkContext(document)

    def chunks(self) -> Iterator[Chunk]:
        start, end = self._content(0), 0
        while start < len(self._text):
            end = self._content(self._end(start, end))
            heading, place = self._context.at(start)
            chunk = Chunk(start, start + len(self._text[start:end].rstrip()), heading, place)
            yield chunk
            if end < len(self._text) and self._overlap and not self._context.begins_part(chunk.end, end):
                start = self._content(self._repeated_from(start, end))
            else:
                start = end

    def _content(self, at: int) -> int:
        """The first character from `at` on that is not blank."""
        found = _CONTENT.search(self._text, at)
        return found.start() if found else len(self._text)

    def _end(self, start: int, previous_end: int) -> int:
        """Where a chunk ends that begins at `start`; behind the end of the one before."""
        furthest = end_within(self._text, start, self._limit)
        sheet = self._context.next_sheet(start)
        if min(furthest, sheet) >= len(self._text) or sheet <= furthest:
            return min(sheet, len(self._text))
        low = max(end_within(self._text, start, self._limit // 2), previous_end + 1)
        if (part := self._context.last_part(low, furthest)) is not None:
            return part
        units = (PARAGRAPHS, LINES, WORDS) if self._by_lines else (PARAGRAPHS, ROWS, SENTENCES, WORDS)
        for unit in units:
            if (found := latest(unit, self._text, low, furthest, self._keeps_heading)) is not None:
                return found
        # There is nothing but headings, or no blank space.
        if (heading := self._context.last_heading(low, furthest)) is not None:
            return heading
        if (word := latest(WORDS, self._text, low, furthest, lambda _: True)) is not None:
            return word
        return next((at for at in range(furthest, max(start, previous_end), -1) if is_border(self._text, at)), furthest)

    def _keeps_heading(self, at: int) -> bool:
        """Whether there is text between `at` and the heading above it."""
        heading = self._context.last_heading(0, at - 1)
        if heading is None:
            return True
        line = _HEADING.match(self._text, heading)
        assert line  # the pattern matches anything
        return line.end() < at and _CONTENT.search(self._text, line.end(), at) is not None

    def _repeated_from(self, start: int, end: int) -> int:
        """From where on the chunk after `start..end` repeats its end."""
        repeated = min(self._overlap, weight(self._text[start:end]) // 2)
        low = max(start_within(self._text, end, repeated), start + 1)
        if (part := self._context.last_part(low, end)) is not None:
            return part
        if (found := earliest(PARAGRAPHS, self._text, low, (low + end) // 2)) is not None:
            return found
        for unit in (LINES, WORDS) if self._by_lines else (ROWS, SENTENCES, WORDS):
            if (found := earliest(unit, self._text, low, end)) is not None:
                return found
        return next((at for at in range(low, end) if is_border(self._text, at)), end)
