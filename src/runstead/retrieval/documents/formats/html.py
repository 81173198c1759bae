"""HTML: text in the order of its blocks, with headings, lists and tables."""

import re
from html.parser import HTMLParser
from typing import BinaryIO

from runstead.retrieval.documents.encoding import declared_encoding, decoded
from runstead.retrieval.documents.formats.plain import read_bytes
from runstead.retrieval.documents.text_builder import TextBuilder

__all__ = ["read_html", "write_html"]

_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{1,1000})</title", re.IGNORECASE)
_CONTENT = re.compile(r"<(?:body|svg)\b", re.IGNORECASE)
_BLOCKS = (
    "address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption figure "
    "footer form header hr html legend main nav ol option p section summary tbody tfoot thead ul"
)
_BLOCK_TAGS = frozenset(_BLOCKS.split())
_HIDDEN = "audio canvas iframe math noscript object script select style svg template textarea title video"
_HIDDEN_TAGS = frozenset(_HIDDEN.split())
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_TABLE = frozenset({"table", "tr", "td", "th"})


def read_html(file: BinaryIO, out: TextBuilder) -> None:
    """Write the text of an HTML file. Its title is a heading if the file has no heading of the first level."""
    data = read_bytes(file)
    text = decoded(data, declared_encoding(data))
    title = _TITLE.search(_CONTENT.split(text[: 1 << 16], maxsplit=1)[0])
    if title and not re.search(r"<h1[\s>]", text, re.IGNORECASE):
        write_html(f"<h1>{title[1]}</h1>", out)
        write_html(text, out, shift=1)
    else:
        write_html(text, out)


def write_html(text: str, out: TextBuilder, *, shift: int = 0) -> None:
    """Write the text of HTML, with `shift` added to the levels of its headings."""
    writer = _Writer(out, shift)
    writer.feed(text)
    writer.close()
    writer.end()
    out.end_paragraph()


class _Table:
    """A table that is open."""

    def __init__(self) -> None:
        self.row: list[str] = []
        self.in_cell = False
        self.layout = False
        """It has other tables or headings in its cells, which are therefore written as paragraphs."""


class _Writer(HTMLParser):
    """Writes text while HTML is parsed."""

    def __init__(self, out: TextBuilder, shift: int) -> None:
        super().__init__(convert_charrefs=True)
        self._out = out
        self._shift = shift
        self._text: list[str] = []
        self._block = "p"
        self._tables: list[_Table] = []
        self._hidden = 0
        self._hidden_tag = ""
        self._preformatted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._hidden:
            self._hidden += tag == self._hidden_tag
        elif tag in _HIDDEN_TAGS:
            self._hidden, self._hidden_tag = 1, tag
        elif tag in _TABLE:
            self._start_table(tag)
        elif tag in _HEADINGS:
            self._lay_out()
            self._begin(tag)
        elif tag in {"pre", "li"}:
            self._begin(tag)
            self._preformatted += tag == "pre"
        elif tag in _BLOCK_TAGS:
            begun = self._block == "li" and not any(map(str.strip, self._text))  # `<li><p>` is an item
            self._begin("li" if begun else "p")
        elif tag == "br":
            self._text.append("\n" if self._preformatted else " \v ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _HIDDEN_TAGS:  # an empty element hides nothing
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self._hidden:
            self._hidden -= tag == self._hidden_tag
        elif tag in _TABLE:
            self._end_table(tag)
        elif tag == "pre":
            self.flush()
            self._preformatted = max(0, self._preformatted - 1)
        elif tag in _HEADINGS or tag == "li" or tag in _BLOCK_TAGS:
            self._begin("p")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._text.append(data)

    def end(self) -> None:
        """End everything that is open."""
        while self._tables:
            self._end_table("table")
        self.flush()

    def flush(self) -> None:
        """Write the text that is not written yet."""
        if self._in_row():
            return
        text, block = self._written(), self._block
        self._text.clear()
        if self._preformatted and block == "pre":
            if text.strip():
                self._out.end_paragraph()
                self._out.write(text.strip("\n").replace("\v", "\n"))
                self._out.end_paragraph()
            return
        lines = "\n".join(" ".join(line.split()) for line in text.replace("\n", " ").split("\v")).strip()
        if block in _HEADINGS:
            self._out.heading(lines, _HEADINGS[block] + self._shift)
        elif block == "li":
            self._out.item(lines)
        else:
            self._out.paragraph(lines)

    def _written(self) -> str:
        return "".join(self._text)

    def _in_row(self) -> bool:
        return bool(self._tables) and not self._tables[-1].layout and self._tables[-1].in_cell

    def _begin(self, block: str) -> None:
        """End a block, and begin the next one. In a cell, blocks are separated by blanks."""
        if self._in_row():
            self._text.append(" ")
            return
        self.flush()
        self._block = block

    def _start_table(self, tag: str) -> None:
        """Begin a table, a row or a cell. Whatever is open and cannot contain it ends, as in browsers."""
        if tag == "table":
            self._lay_out()
            self._begin("p")
            self._out.end_paragraph()
            self._tables.append(_Table())
        elif tag == "tr":
            self._end_row()
        else:
            self._end_cell()
            if self._tables:
                self._tables[-1].in_cell = True

    def _end_table(self, tag: str) -> None:
        if tag == "table":
            self._end_row()
            if self._tables:
                self._tables.pop()
            if not self._in_row():
                self._out.end_paragraph()
        elif tag == "tr":
            self._end_row()
        else:
            self._end_cell()

    def _end_cell(self) -> None:
        if not self._tables or not self._tables[-1].in_cell:
            return
        table = self._tables[-1]
        if table.layout:
            self.flush()
        else:
            table.row.append(self._written().replace("\v", " "))
            self._text.clear()
        table.in_cell = False

    def _end_row(self) -> None:
        self._end_cell()
        if self._tables and (row := self._tables[-1].row):
            self._tables[-1].row = []
            if len(row) == 1:
                self._out.paragraph(" ".join(row[0].split()))
            else:
                self._out.row(row)

    def _lay_out(self) -> None:
        """A heading or another table begins in a cell: this table is for layout."""
        if not self._in_row():
            return
        table = self._tables[-1]
        for cell in table.row:
            self._out.paragraph(" ".join(cell.split()))
        table.row = []
        table.layout = True
        self._block = "p"
        self.flush()
